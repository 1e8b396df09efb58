internal import CSodium

/// A portable hash of phpass: `$P$B` with 8 characters of salt and 22 of hash. The character after `$P$` states the
/// binary logarithm of the number of rounds. WordPress used it before version 6.8.
struct PhpassHash: ImportedHash {
    private let rounds: Int
    private let salt: [UInt8]
    private let hash: [UInt8]

    init?(_ text: HashScanner) {
        var rest = text
        guard rest.skip("$P$"), let logRounds = rest.crypt64Digit(), (7...30).contains(logRounds),
            1 << logRounds <= ImportedHashLimits.cryptRoundsMax, let saltAndHash = rest.crypt64(30...30), rest.isAtEnd
        else { return nil }
        rounds = 1 << logRounds
        (salt, hash) = (
            Array(saltAndHash.prefix(Self.saltCharacters)), Array(saltAndHash.dropFirst(Self.saltCharacters))
        )
    }

    private static let saltCharacters = 8

    /// MD5 of salt and password, then `rounds` times MD5 of the last hash and the password.
    func isHash(of password: Password) throws(PasswordHashingFailed) -> Bool {
        let derived: [UInt8] = password.withCharacters { characters, count in
            let message = UnsafeMutableRawBufferPointer.allocate(byteCount: MD5.bytesCount + Int(count), alignment: 8)
            defer {
                sodium_memzero(message.baseAddress, message.count)
                message.deallocate()
            }
            guard let start = message.baseAddress else { return [] }
            let bytes = UnsafeBufferPointer(message.bindMemory(to: UInt8.self))
            let afterSalt = UnsafeMutableRawBufferPointer(rebasing: message[MD5.bytesCount...])
            afterSalt.copyMemory(from: UnsafeRawBufferPointer(start: characters, count: Int(count)))
            // The salt is half as long as a hash.
            let saltStart = MD5.bytesCount - salt.count
            UnsafeMutableRawBufferPointer(rebasing: message[saltStart..<MD5.bytesCount]).copyBytes(from: salt)
            MD5.hash(UnsafeBufferPointer(rebasing: bytes[saltStart...]), into: start)
            for _ in 0..<rounds { MD5.hash(bytes, into: start) }
            return Self.encoded(bytes.prefix(MD5.bytesCount))
        }
        return isEqual(derived, hash)
    }

    /// The bytes in crypt(3)'s alphabet, three bytes in four characters, the lowest bits first.
    private static func encoded(_ bytes: some Collection<UInt8>) -> [UInt8] {
        let alphabet = Array("./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)
        var (characters, bits, bitCount): ([UInt8], Int, Int) = ([], 0, 0)
        for byte in bytes {
            bits |= Int(byte) << bitCount
            bitCount += 8
            while bitCount >= 6 {
                characters.append(alphabet[bits & 63])
                (bits, bitCount) = (bits >> 6, bitCount - 6)
            }
        }
        return bitCount == 0 ? characters : characters + [alphabet[bits & 63]]
    }
}
