// Coming in: by name and secret, or by a link that carries its secret behind the hash, where no server sees it.
import { useEffect, useRef, useState } from "preact/hooks";

import { Typed } from "../parts";
import { link } from "../router";
import { logIn, logOut, type Session, useSession, whoInWords } from "../session";

function Form({ session }: { session: Session }) {
  const { set } = useSession();
  const [name, setName] = useState("");
  const [secret, setSecret] = useState("");
  const [problem, setProblem] = useState<string | null>(null);
  const [waits, setWaits] = useState(false);
  const send = (event: Event) => {
    event.preventDefault();
    setWaits(true);
    logIn(name.trim(), secret)
      .then(
        (found) => {
          set(found);
          if (location.hash === link("login")) location.replace("#/");
        },
        (error: unknown) => setProblem(error instanceof Error ? error.message : String(error)),
      )
      .finally(() => setWaits(false));
  };
  return (
    <form class="form card" onSubmit={send}>
      {session.is_admin && session.needs_setup && (
        <p class="notice calm">
          Nobody has a password yet: type <code>steppe operator password NAME -c FILE</code> on the pool's machine, then
          log in here.
        </p>
      )}
      <label>
        {session.is_admin ? "Name" : "Account"}
        <input
          name="name"
          autoComplete="username"
          required
          value={name}
          onInput={(event) => setName(event.currentTarget.value)}
        />
      </label>
      <label>
        {session.is_admin ? "Password" : "Key"}
        <input
          name="secret"
          type="password"
          autoComplete="current-password"
          required
          value={secret}
          onInput={(event) => setSecret(event.currentTarget.value)}
        />
      </label>
      {problem && (
        <p class="notice" role="alert">
          {problem}
        </p>
      )}
      <button type="submit" class="button" disabled={waits}>
        Log in
      </button>
      {!(session.is_admin && session.needs_setup) && (
        <p class="quiet">
          <Typed text={session.is_admin
            ? "Forgotten? `steppe operator link` on the pool's machine prints a link that lets you in once."
            : "The operator of the pool gives you the key of your account. A watcher's link needs no login: open it. " +
              "Operators log in at an address of their own (`web.admin_listen`)."} />
        </p>
      )}
    </form>
  );
}

export function LoginPage() {
  const { session } = useSession();
  if (session === null) return <p class="empty">Loading</p>;
  return (
    <>
      <h2 class="title">Log in</h2>
      {session.role === "nobody" ? (
        <Form session={session} />
      ) : (
        <p class="lead">
          You are in as {whoInWords(session)}. <a href="#/">To the overview</a>
        </p>
      )}
    </>
  );
}

// In place of a page that is not for who looks.
export function LoginNeeded({ session }: { session: Session }) {
  if (session.role !== "nobody") {
    return (
      <p class="notice calm">
        You are in as {whoInWords(session)}, and this is about more than that.{" "}
        <a href={session.role === "owner" ? link("accounts", session.who.slice(6)) : link("workers")}>To what is yours</a>
      </p>
    );
  }
  return (
    <>
      <h2 class="title">This needs a login</h2>
      <p class="lead">The operator of this pool shows it only to those who are concerned.</p>
      <Form session={session} />
    </>
  );
}

export function EnterPage({ secret }: { secret: string }) {
  const { session, set } = useSession();
  const [problem, setProblem] = useState<string | null>(null);
  const tried = useRef(false);
  useEffect(() => {
    if (session === null || tried.current) return;
    tried.current = true;
    logIn("", secret).then(
      (found) => {
        set(found);
        // The secret does not stay in the history of the browser.
        location.replace(found.scope === "pool" ? "#/" : link("workers"));
      },
      (error: unknown) => setProblem(error instanceof Error ? error.message : String(error)),
    );
  }, [session, secret]);
  if (problem === null) return <p class="empty">Coming in</p>;
  return (
    <>
      <p class="notice" role="alert">
        {problem}
      </p>
      <p>
        <a href={link("login")}>Log in</a>
      </p>
    </>
  );
}

// At the end of the bar.
export function Who({ session }: { session: Session }) {
  const { set } = useSession();
  if (session.role === "nobody") {
    return (
      <a class="who" href={link("login")}>
        Log in
      </a>
    );
  }
  const leave = () => {
    logOut(session).then(
      (found) => {
        set(found);
        location.replace("#/");
      },
      () => undefined,
    );
  };
  return (
    <button type="button" class="who button" title={whoInWords(session)} onClick={leave}>
      Log out
    </button>
  );
}
