/// A hash of PBKDF2 (RFC 8018 §5.2):
///
///     $pbkdf2-sha256$i=600000,l=32$SALT$HASH    PHC string
///     $pbkdf2-sha256$29000$SALT$HASH            Passlib; `$pbkdf2$` is its SHA-1
///     pbkdf2_sha256$600000$SALT$HASH            Django
///     pbkdf2:sha256:600000$SALT$HASH            Werkzeug
struct PBKDF2Hash: ImportedHash {
    private enum Function {
        case sha1
        case sha256
        case sha512

        var bytesCount: Int {
            switch self {
            case .sha1: HMACSHA1.bytesCount
            case .sha256: HMACSHA256.bytesCount
            case .sha512: HMACSHA512.bytesCount
            }
        }
    }

    private let function: Function
    private let iterations: Int
    private let salt: [UInt8]
    private let hash: [UInt8]

    init?(_ text: HashScanner) {
        var rest = text
        let parsed: (function: Function, iterations: Int?, salt: [UInt8]?, hash: [UInt8]?)
        if let function = Self.function(after: "$pbkdf2-", in: &rest) ?? (rest.skip("$pbkdf2") ? .sha1 : nil) {
            guard rest.skip("$") else { return nil }
            parsed = Self.fields(ofModular: &rest, function)
        } else if let function = Self.function(after: "pbkdf2_", in: &rest) {
            guard rest.skip("$"), let iterations = Self.iterations(&rest), rest.skip("$") else { return nil }
            parsed = (function, iterations, rest.textSalt(), rest.base64(.padded))
        } else if let function = Self.function(after: "pbkdf2:", in: &rest) {
            guard rest.skip(":"), let iterations = Self.iterations(&rest), rest.skip("$") else { return nil }
            parsed = (function, iterations, rest.textSalt(), rest.hexadecimal())
        } else {
            return nil
        }
        guard let iterations = parsed.iterations, let salt = parsed.salt, let hash = parsed.hash else { return nil }
        (function, self.iterations, self.salt, self.hash) = (parsed.function, iterations, salt, hash)
        // Each block of the hash takes all iterations.
        let blocks = (hash.count + function.bytesCount - 1) / function.bytesCount
        guard blocks * iterations <= ImportedHashLimits.pbkdf2IterationsMax else { return nil }
    }

    /// Reads the name of a hash function after a word.
    private static func function(after word: StaticString, in rest: inout HashScanner) -> Function? {
        var name = rest
        guard name.skip(word) else { return nil }
        let function: Function? = name.skip("sha256") ? .sha256 : name.skip("sha512") ? .sha512 : nil
        guard let function = function ?? (name.skip("sha1") ? .sha1 : nil) else { return nil }
        rest = name
        return function
    }

    private static func iterations(_ rest: inout HashScanner) -> Int? {
        rest.number(in: 1...ImportedHashLimits.pbkdf2IterationsMax)
    }

    /// Reads the fields of a PHC string or of Passlib's form, which differ in the first field and in the Base64.
    private static func fields(
        ofModular rest: inout HashScanner,
        _ function: Function
    ) -> (function: Function, iterations: Int?, salt: [UInt8]?, hash: [UInt8]?) {
        let isPHC = rest.skip("i=")
        let form: HashScanner.Base64Form = isPHC ? .unpadded : .passlib
        let iterations = Self.iterations(&rest)
        let length = isPHC && rest.skip(",l=") ? rest.number(in: ImportedHashLimits.hashBytes) : nil
        let salt = rest.skip("$") ? rest.base64Field(form, 1...ImportedHashLimits.saltBytesMax) : nil
        let hash = rest.base64(form).flatMap { length == nil || $0.count == length ? $0 : nil }
        return (function, iterations, salt, hash)
    }

    func isHash(of password: Password) throws(PasswordHashingFailed) -> Bool {
        guard !password.endsWithNul else { return false }
        let derived: [UInt8] = password.withCharacters { characters, count in
            characters.withMemoryRebound(to: UInt8.self, capacity: Int(count)) { key in
                switch function {
                case .sha1: derive(with: HMACSHA1(key: key, count: Int(count)))
                case .sha256: derive(with: HMACSHA256(key: key, count: Int(count)))
                case .sha512: derive(with: HMACSHA512(key: key, count: Int(count)))
                }
            }
        }
        return isEqual(derived, hash)
    }

    private func derive<Function: HMAC>(with keyed: Function) -> [UInt8] {
        var derived: [UInt8] = []
        var block: UInt32 = 1
        while derived.count < hash.count {
            derived += self.block(block, with: keyed)
            block += 1
        }
        return Array(derived.prefix(hash.count))
    }

    /// One block: the exclusive or of all iterations.
    private func block<Function: HMAC>(_ number: UInt32, with keyed: Function) -> [UInt8] {
        let first = salt + withUnsafeBytes(of: number.bigEndian) { Array($0) }
        // Combined in words of eight bytes. The bytes after a hash of 20 bytes are zeros.
        let wordCount = (Function.bytesCount + 7) / 8
        var (last, sum) = ([UInt64](repeating: 0, count: wordCount), [UInt64](repeating: 0, count: wordCount))
        last.withUnsafeMutableBufferPointer { last in
            sum.withUnsafeMutableBufferPointer { sum in
                guard let start = UnsafeMutableRawPointer(last.baseAddress) else { return }
                let code = start.assumingMemoryBound(to: UInt8.self)
                keyed.authenticate(first, count: first.count, into: code)
                for word in 0..<wordCount { sum[word] = last[word] }
                for _ in 1..<iterations {
                    keyed.authenticate(code, count: Function.bytesCount, into: code)
                    for word in 0..<wordCount { sum[word] ^= last[word] }
                }
            }
        }
        return sum.withUnsafeBytes { Array($0.prefix(Function.bytesCount)) }
    }
}
