"""Blocks of the main chain, as a node or a block explorer shows them, in wire order."""

GENESIS_HEADER = bytes.fromhex(
    "0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27ac72c3e67768f61"
    "7fc81bc3888a51323a9fb8aa4b1e5e4a29ab5f49ffff001d1dac2b7c"
)
GENESIS_HASH = bytes.fromhex("000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f")[::-1]
GENESIS_NONCE = 2083236893
GENESIS_TARGET = (0xFFFF << 208).to_bytes(32, "little")

# Block 100000: four transactions, the first its coinbase.
BLOCK_VERSION = 1
BLOCK_PREV_HASH = bytes.fromhex("000000000002d01c1fccc21636b607dfd930d31d01c3a62104612a1719011250")[::-1]
BLOCK_ROOT = bytes.fromhex("f3e94742aca4b5ef85488dc37c06c3282295ffec960994b2c0d5ac2a25a95766")[::-1]
BLOCK_NTIME = 1293623863
BLOCK_NBITS = 0x1B04864C
BLOCK_NONCE = 274148111
BLOCK_HASH = bytes.fromhex("000000000003ba27aa200b1cecaad478d2b00432346c3f1f3986da1afd33e506")[::-1]
BLOCK_HEADER = bytes.fromhex(
    "0100000050120119172a610421a6c3011dd330d9df07b63616c2cc1f1cd00200000000006657a9252aacd5c0b2940996ecff9522"
    "28c3067cc38d4885efb5a4ac4247e9f337221b4d4c86041b0f2b5710"
)
BLOCK_TXIDS = [
    bytes.fromhex(txid_hex)[::-1]
    for txid_hex in (
        "8c14f0db3df150123e6f3dbbf30f8b955a8249b62ac1d1ff16284aefa3d06d87",
        "fff2525b8931402dd09222c50775608f75787bd2b87e56995a7bdd30f79702c4",
        "6359f0868171b1d194cbee1af2f16ea598ae8fad666d9b012c8ed2b79a236ec4",
        "e9a66845e05d5abc0ad04ec80f774a7e585c6e8db975962d069a522137b80c1d",
    )
]
# Its coinbase script is nBits and then the two bytes 06 02 that its miner counted up: taken here as one byte of
# extranonce1 and one of extranonce2.
BLOCK_COINB1 = bytes.fromhex(
    "01000000010000000000000000000000000000000000000000000000000000000000000000ffffffff08044c86041b02"
)
BLOCK_EXTRANONCE1 = b"\x06"
BLOCK_EXTRANONCE2 = b"\x02"
BLOCK_COINB2 = bytes.fromhex(
    "ffffffff0100f2052a010000004341041b0e8c2567c12536aa13357b79a073dc4444acb83c4ec7a0e2f99dd7457516c5817242da"
    "796924ca4e99947d087fedf9ce467cb9f7c6287078f801df276fdf84ac00000000"
)
