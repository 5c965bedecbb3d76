"""The command `steppe completion`."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

_VARIABLE = "_STEPPE_COMPLETE"  # by which click knows that a shell asks


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print what makes a shell complete the commands, options and files of steppe.

    bash: `source <(steppe completion bash)` in ~/.bashrc; zsh: the same in ~/.zshrc, behind compinit; fish: into
    ~/.config/fish/completions/steppe.fish.
    """
    kind = get_completion_class(shell)
    if kind is None:
        raise click.ClickException(f"completion for {shell} is not known")
    click.echo(kind(context.find_root().command, {}, "steppe", _VARIABLE).source())
