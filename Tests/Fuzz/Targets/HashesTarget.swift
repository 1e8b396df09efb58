@testable import Accounts

/// Parsing an imported password hash. An accepted hash is short and printable, and a cheap one can be verified.
enum HashesTarget {
    static func run(_ input: [UInt8]) {
        let hash = PasswordHash(text: String(decoding: input, as: UTF8.self))
        guard Argon2idHasher.canVerify(hash) else {
            hold(must { try !hasher.verify(password, against: hash) }, "a refused hash is verified: \(shown(input))")
            return
        }
        hold(input.count <= 512 && input.allSatisfy { (0x21...0x7E).contains($0) }, "accepted: \(shown(input))")
        guard isCheap(input) else { return }
        // No input holds the hash of this password.
        hold(must { try !hasher.verify(password, against: hash) }, "a hash of another password: \(shown(input))")
    }

    private static let hasher = Argon2idHasher()
    private static let password = Password("a password of no seed".utf8)

    /// Whether a hash is one of Werkzeug, whose numbers are all before the first `$`, with at most three digits each.
    private static func isCheap(_ input: [UInt8]) -> Bool {
        guard input.starts(with: "pbkdf2:".utf8) || input.starts(with: "scrypt:".utf8) else { return false }
        let fields = input.prefix { $0 != UInt8(ascii: "$") }.split(separator: UInt8(ascii: ":")).dropFirst()
        return fields.allSatisfy { $0.count <= 3 || $0.starts(with: "sha".utf8) }
    }
}
