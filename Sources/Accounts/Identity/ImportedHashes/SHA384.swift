internal import CSodium

/// SHA-384 (FIPS 180-4 §5.3.4): SHA-512 of libsodium with another initial value, truncated to 48 bytes. WordPress
/// applies it before bcrypt.
enum SHA384 {
    /// HMAC-SHA-384 (RFC 2104) of a password, in Base64.
    ///
    /// - Parameter key: a text of at most 128 bytes.
    static func hmacBase64(of password: Password, key: StaticString) -> Password {
        var inner = password.withCharacters { characters, count in
            characters.withMemoryRebound(to: UInt8.self, capacity: Int(count)) {
                digest(pad(key, 0x36), $0, count)
            }
        }
        var outer = digest(pad(key, 0x5C), inner, UInt64(inner.count))
        defer {
            sodium_memzero(&inner, inner.count)
            sodium_memzero(&outer, outer.count)
        }
        let variant = sodium_base64_VARIANT_ORIGINAL
        return Password(capacity: sodium_base64_encoded_len(outer.count, variant)) { memory in
            let text = memory.bindMemory(to: CChar.self)
            guard let start = text.baseAddress else { return 0 }
            sodium_bin2base64(start, text.count, outer, outer.count, variant)
            // Without the NUL.
            return text.count - 1
        }
    }

    private static func pad(_ key: StaticString, _ value: UInt8) -> [UInt8] {
        let key = UnsafeBufferPointer(start: key.utf8Start, count: key.utf8CodeUnitCount)
        return key.map { $0 ^ value } + [UInt8](repeating: value, count: 128 - key.count)
    }

    private static func digest(_ first: [UInt8], _ second: UnsafePointer<UInt8>, _ count: UInt64) -> [UInt8] {
        var state = crypto_hash_sha512_state()
        crypto_hash_sha512_init(&state)
        state.state = (
            0xcbbb_9d5d_c105_9ed8, 0x629a_292a_367c_d507, 0x9159_015a_3070_dd17, 0x152f_ecd8_f70e_5939,
            0x6733_2667_ffc0_0b31, 0x8eb4_4a87_6858_1511, 0xdb0c_2e0d_64f9_8fa7, 0x47b5_481d_befa_4fa4
        )
        var digest = [UInt8](repeating: 0, count: Int(crypto_hash_sha512_BYTES))
        crypto_hash_sha512_update(&state, first, UInt64(first.count))
        crypto_hash_sha512_update(&state, second, count)
        crypto_hash_sha512_final(&state, &digest)
        defer { sodium_memzero(&digest, digest.count) }
        return Array(digest.prefix(48))
    }
}
