internal import CSodium

/// HMAC (RFC 2104) with a key that was hashed once, for the many messages of PBKDF2.
protocol HMAC {
    /// The length of an authentication code.
    static var bytesCount: Int { get }

    init(key: UnsafePointer<UInt8>, count: Int)

    /// Writes the authentication code of a message, which may be at the same address.
    func authenticate(_ message: UnsafePointer<UInt8>, count: Int, into code: UnsafeMutablePointer<UInt8>)
}

/// HMAC-SHA-256 of libsodium.
struct HMACSHA256: HMAC {
    static let bytesCount = 32
    private var keyed = crypto_auth_hmacsha256_state()

    init(key: UnsafePointer<UInt8>, count: Int) {
        crypto_auth_hmacsha256_init(&keyed, key, count)
    }

    func authenticate(_ message: UnsafePointer<UInt8>, count: Int, into code: UnsafeMutablePointer<UInt8>) {
        var state = keyed
        crypto_auth_hmacsha256_update(&state, message, UInt64(count))
        crypto_auth_hmacsha256_final(&state, code)
    }
}

/// HMAC-SHA-512 of libsodium.
struct HMACSHA512: HMAC {
    static let bytesCount = 64
    private var keyed = crypto_auth_hmacsha512_state()

    init(key: UnsafePointer<UInt8>, count: Int) {
        crypto_auth_hmacsha512_init(&keyed, key, count)
    }

    func authenticate(_ message: UnsafePointer<UInt8>, count: Int, into code: UnsafeMutablePointer<UInt8>) {
        var state = keyed
        crypto_auth_hmacsha512_update(&state, message, UInt64(count))
        crypto_auth_hmacsha512_final(&state, code)
    }
}

/// HMAC-SHA-1.
struct HMACSHA1: HMAC {
    static let bytesCount = SHA1.bytesCount
    /// The states after the block of the key.
    private let inner: SHA1
    private let outer: SHA1

    init(key: UnsafePointer<UInt8>, count: Int) {
        let key = UnsafeBufferPointer(start: key, count: count)
        let block = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: SHA1.blockBytes)
        block.initialize(repeating: 0)
        defer {
            sodium_memzero(block.baseAddress, block.count)
            block.deallocate()
        }
        if key.count > SHA1.blockBytes, let start = block.baseAddress {
            SHA1().finish(key, into: start)
        } else {
            UnsafeMutableRawBufferPointer(block).copyBytes(from: key)
        }
        func state(_ pad: UInt8) -> SHA1 {
            for index in block.indices { block[index] ^= pad }
            defer { for index in block.indices { block[index] ^= pad } }
            return SHA1(after: UnsafeBufferPointer(block))
        }
        (inner, outer) = (state(0x36), state(0x5C))
    }

    func authenticate(_ message: UnsafePointer<UInt8>, count: Int, into code: UnsafeMutablePointer<UInt8>) {
        inner.finish(UnsafeBufferPointer(start: message, count: count), into: code)
        outer.finish(UnsafeBufferPointer(start: UnsafePointer(code), count: SHA1.bytesCount), into: code)
    }
}
