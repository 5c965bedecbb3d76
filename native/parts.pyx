# cython: language_level=3, boundscheck=False, wraparound=False
"""The shares of a batch by their worth in C. Names, arguments, results and errors are those of
`native.parts_reference`."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memset

cdef enum:
    # The longest: an integer with its head, an array's head.
    UINT_BYTES_MAX = 9
    ARRAY_BYTES_MAX = 5


def pack_parts(stakes, score_of, parts, counts):
    cdef list stake_column = listed(stakes), score_column = listed(score_of), part_list = listed(parts)
    cdef list count_list = listed(counts), scores = [], shares
    cdef Py_ssize_t count = len(part_list), places = min(len(stake_column), len(score_column)), number, part
    cdef uint64_t score, many, score_places = 0
    # Of each score its number in the batch plus one, and how many shares are of that number.
    cdef uint32_t *of_batch = NULL
    cdef uint64_t *shares_of = NULL
    cdef uint8_t *columns[3]
    cdef uint8_t *ends[3]
    if len(count_list) != count:
        raise ValueError("there must be as many counts as parts")
    memset(columns, 0, sizeof(columns))
    try:
        for part in part_list:
            if not 0 <= part < places:
                raise IndexError("a part has no place in the columns")
            score_places = max(score_places, <uint64_t>score_column[part] + 1)
        of_batch = <uint32_t *>room(score_places * sizeof(uint32_t))
        shares_of = <uint64_t *>room(score_places * sizeof(uint64_t))
        for column in range(3):
            columns[column] = <uint8_t *>room(ARRAY_BYTES_MAX + count * UINT_BYTES_MAX)
            ends[column] = put_array(columns[column], count)
        for number in range(count):
            part = part_list[number]
            score, many = score_column[part], count_list[number]
            if not of_batch[score]:
                scores.append(score)
                of_batch[score] = <uint32_t>len(scores)
            shares_of[of_batch[score] - 1] += many
            ends[0] = put_uint(ends[0], stake_column[part])
            ends[1] = put_uint(ends[1], of_batch[score] - 1)
            ends[2] = put_uint(ends[2], many)
        shares = [shares_of[number] for number in range(len(scores))]
        return (
            PyBytes_FromStringAndSize(<const char *>columns[0], ends[0] - columns[0]),
            PyBytes_FromStringAndSize(<const char *>columns[1], ends[1] - columns[1]),
            PyBytes_FromStringAndSize(<const char *>columns[2], ends[2] - columns[2]),
            scores,
            shares,
        )
    finally:
        free(of_batch)
        free(shares_of)
        for column in range(3):
            free(columns[column])


def add_counts(list sums not None, parts, counts):
    cdef list part_list = listed(parts), count_list = listed(counts)
    cdef Py_ssize_t places = len(sums), number, part
    cdef uint64_t sum, many
    if len(count_list) != len(part_list):
        raise ValueError("there must be as many counts as parts")
    for number in range(len(part_list)):
        part = part_list[number]
        if not 0 <= part < places:
            raise IndexError("a part has no place among the sums")
        sum, many = sums[part], count_list[number]
        sums[part] = sum + many


cdef inline list listed(values):
    # Columns have thousands of numbers: they are not copied for each batch.
    return <list>values if type(values) is list else list(values)


cdef void *room(size_t size) except NULL:
    # All zero.
    cdef void *found = malloc(size or 1)
    if found is NULL:
        raise MemoryError
    memset(found, 0, size)
    return found


# --- msgpack; the numbers are those of its specification ----------------------------------------------------------------

cdef inline uint8_t *put_array(uint8_t *out, uint64_t length) noexcept:
    if length < 16:
        out[0] = <uint8_t>(0x90 | length)
        return out + 1
    if length < 0x10000:
        return put_big_endian(out, 0xDC, length, 2)
    return put_big_endian(out, 0xDD, length, 4)


cdef inline uint8_t *put_uint(uint8_t *out, uint64_t value) noexcept:
    if value < 0x80:
        out[0] = <uint8_t>value
        return out + 1
    if value < 0x100:
        return put_big_endian(out, 0xCC, value, 1)
    if value < 0x10000:
        return put_big_endian(out, 0xCD, value, 2)
    if value < 0x100000000:
        return put_big_endian(out, 0xCE, value, 4)
    return put_big_endian(out, 0xCF, value, 8)


cdef inline uint8_t *put_big_endian(uint8_t *out, uint8_t head, uint64_t value, int length) noexcept:
    cdef int byte
    out[0] = head
    for byte in range(length):
        out[1 + byte] = <uint8_t>(value >> 8 * (length - 1 - byte))
    return out + 1 + length
