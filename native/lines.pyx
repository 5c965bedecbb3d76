# cython: language_level=3, boundscheck=False, wraparound=False
"""The fast reader of submissions in C. Name, argument and results are those of `native.lines_reference`."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.unicode cimport PyUnicode_DecodeASCII
from libc.stdint cimport uint8_t, uint32_t
from libc.string cimport memcmp

cdef enum:
    # As in native.lines_reference, where the reasons are.
    ORDINARY_BYTES_MAX = 512
    ID_DIGITS_MAX = 18
    EXTRANONCE2_BYTES = 8
    PARAMS_MAX = 6
    NO_DIGIT = 0xFF
    # Members seen.
    ID = 1
    METHOD = 2
    PARAMS = 4

# The text of a JSON string, without its quotes.
cdef struct Text:
    const uint8_t *start
    Py_ssize_t length

# Where the reader stands, and behind the last byte. What is to be skipped or taken and is not there leaves `at` NULL.
cdef struct Cursor:
    const uint8_t *at
    const uint8_t *end


def read_submit(bytes line not None):
    cdef Py_ssize_t length = PyBytes_GET_SIZE(line)
    cdef const uint8_t *start = <const uint8_t *>PyBytes_AS_STRING(line)
    cdef Cursor cursor
    cdef Text name, id_text, params[PARAMS_MAX]
    cdef int count = 0, seen = 0, member
    cdef uint32_t ntime, nonce, bits
    cdef uint8_t extranonce2[EXTRANONCE2_BYTES]
    if length != 0 and start[length - 1] == c"\n":
        length -= 1
    if length == 0 or length > ORDINARY_BYTES_MAX:
        return None
    cursor.at, cursor.end = start, start + length
    take(&cursor, c"{")
    while True:
        string(&cursor, &name)
        take(&cursor, c":")
        if cursor.at is NULL:
            return None
        member = known(&name)
        if member == 0 or seen & member:
            return None
        seen |= member
        if member == ID:
            request_id(&cursor, &id_text)
        elif member == METHOD:
            string(&cursor, &name)
            if cursor.at is NULL or not equals(&name, b"mining.submit", 13):
                return None
        else:
            count = strings(&cursor, params)
        if next_is(&cursor, c","):
            take(&cursor, c",")
            continue
        take(&cursor, c"}")
        break
    skip_space(&cursor)
    if cursor.at is NULL or cursor.at != cursor.end or seen != (ID | METHOD | PARAMS) or count < 5:
        return None
    if params[2].length != 2 * EXTRANONCE2_BYTES or not hex_bytes(&params[2], extranonce2):
        return None
    if not number(&params[3], &ntime) or not number(&params[4], &nonce):
        return None
    if count == 6 and not number(&params[5], &bits):
        return None
    return (
        PyBytes_FromStringAndSize(<const char *>id_text.start, id_text.length),
        text(&params[0]),
        text(&params[1]),
        PyBytes_FromStringAndSize(<const char *>extranonce2, EXTRANONCE2_BYTES),
        ntime,
        nonce,
        bits if count == 6 else 0,
    )


cdef inline str text(const Text *text):
    return PyUnicode_DecodeASCII(<const char *>text.start, text.length, NULL)


cdef inline bint equals(const Text *text, const char *word, Py_ssize_t length) noexcept nogil:
    return text.length == length and memcmp(text.start, word, length) == 0


cdef inline int known(const Text *name) noexcept nogil:
    if equals(name, b"id", 2):
        return ID
    if equals(name, b"method", 6):
        return METHOD
    return PARAMS if equals(name, b"params", 6) else 0


cdef inline void skip_space(Cursor *cursor) noexcept nogil:
    if cursor.at is NULL:
        return
    while cursor.at < cursor.end and (cursor.at[0] == c" " or cursor.at[0] == c"\t" or cursor.at[0] == c"\r"):
        cursor.at += 1


cdef inline bint next_is(Cursor *cursor, uint8_t byte) noexcept nogil:
    skip_space(cursor)
    return cursor.at is not NULL and cursor.at < cursor.end and cursor.at[0] == byte


cdef inline void take(Cursor *cursor, uint8_t byte) noexcept nogil:
    cursor.at = cursor.at + 1 if next_is(cursor, byte) else NULL


cdef inline void string(Cursor *cursor, Text *text) noexcept nogil:
    cdef const uint8_t *at
    take(cursor, c'"')
    if cursor.at is NULL:
        return
    at = cursor.at
    while at < cursor.end and ORDINARY[at[0]]:
        at += 1
    if at == cursor.end or at[0] != c'"':
        cursor.at = NULL
        return
    text.start, text.length = cursor.at, at - cursor.at
    cursor.at = at + 1


cdef inline void request_id(Cursor *cursor, Text *text) noexcept nogil:
    # With its quotes if it has them: it is echoed as it came.
    cdef const uint8_t *at
    if next_is(cursor, c'"'):
        string(cursor, text)
        if cursor.at is not NULL:
            text.start -= 1
            text.length += 2
        return
    if cursor.at is NULL:
        return
    at = cursor.at
    while at < cursor.end and c"0" <= at[0] <= c"9":
        at += 1
    text.start, text.length = cursor.at, at - cursor.at
    cursor.at = at if 0 < text.length <= ID_DIGITS_MAX and (text.start[0] != c"0" or text.length == 1) else NULL


cdef inline int strings(Cursor *cursor, Text *texts) noexcept nogil:
    # An array of up to PARAMS_MAX strings; returns how many.
    cdef int count = 0
    take(cursor, c"[")
    while cursor.at is not NULL:
        if count == PARAMS_MAX:
            cursor.at = NULL
            break
        string(cursor, &texts[count])
        count += 1
        if not next_is(cursor, c","):
            take(cursor, c"]")
            break
        take(cursor, c",")
    return count


cdef inline bint hex_bytes(const Text *text, uint8_t *to) noexcept nogil:
    # Two digits a byte; the text has an even length.
    cdef Py_ssize_t i
    cdef uint8_t high, low
    for i in range(0, text.length, 2):
        high, low = DIGIT[text.start[i]], DIGIT[text.start[i + 1]]
        if high == NO_DIGIT or low == NO_DIGIT:
            return False
        to[i >> 1] = high << 4 | low
    return True


cdef inline bint number(const Text *text, uint32_t *to) noexcept nogil:
    # One to eight digits.
    cdef Py_ssize_t i
    cdef uint8_t digit
    if not 1 <= text.length <= 8:
        return False
    to[0] = 0
    for i in range(text.length):
        digit = DIGIT[text.start[i]]
        if digit == NO_DIGIT:
            return False
        to[0] = to[0] << 4 | digit
    return True


# The value of each hex digit, and the characters that an ordinary string consists of.
cdef uint8_t DIGIT[256]
cdef uint8_t ORDINARY[256]
for _byte in range(256):
    DIGIT[_byte] = int(chr(_byte), 16) if chr(_byte) in "0123456789abcdefABCDEF" else NO_DIGIT
    ORDINARY[_byte] = 0x20 <= _byte < 0x7F and chr(_byte) not in '"\\{['
