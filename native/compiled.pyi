from native.reference import SHA256_IMPLEMENTATION as SHA256_IMPLEMENTATION
from native.reference import JobCheck as JobCheck
from native.reference import header as header
from native.reference import meets_target as meets_target
from native.reference import merkle_root as merkle_root
from native.reference import search as search
from native.reference import sha256d as sha256d

def use_portable(portable: bool) -> str: ...
