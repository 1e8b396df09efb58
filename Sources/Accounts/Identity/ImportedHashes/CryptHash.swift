/// A hash of crypt(3):
///
///     $1$SALT$HASH                  MD5
///     $5$rounds=5000$SALT$HASH      SHA-256, with 5,000 rounds if it states none
///     $6$rounds=5000$SALT$HASH      SHA-512
///     $y$j9T$SALT$HASH              yescrypt
///
/// The salt is a text of up to 8 characters (MD5) or 16 characters (SHA). That of yescrypt is encoded.
struct CryptHash: ImportedHash {
    private let text: String

    init?(_ text: HashScanner) {
        var rest = text
        let isHash =
            if rest.skip("$1$") {
                rest.crypt64(0...8) != nil && rest.skip("$") && rest.crypt64(22...22) != nil
            } else if rest.skip("$5$") {
                Self.hasSHASalt(&rest) && rest.crypt64(43...43) != nil
            } else if rest.skip("$6$") {
                Self.hasSHASalt(&rest) && rest.crypt64(86...86) != nil
            } else if rest.skip("$y$j") {
                Self.hasYescryptSalt(&rest) && rest.crypt64(43...43) != nil
            } else {
                false
            }
        guard isHash, rest.isAtEnd else { return nil }
        self.text = text.restOfText
    }

    /// Reads the rounds and the salt of a SHA hash. The library refuses fewer than 1,000 rounds.
    private static func hasSHASalt(_ rest: inout HashScanner) -> Bool {
        if rest.skip("rounds=") {
            guard rest.number(in: 1_000...ImportedHashLimits.cryptRoundsMax) != nil, rest.skip("$") else {
                return false
            }
        }
        return rest.crypt64(0...16) != nil && rest.skip("$")
    }

    /// Reads the parameters and the salt of yescrypt: log2 N - 1 and r - 1, one digit each, for a memory of 128 r N
    /// bytes. Longer numbers and other parameters are not accepted; libxcrypt does not write them.
    private static func hasYescryptSalt(_ rest: inout HashScanner) -> Bool {
        guard let logN = rest.crypt64Digit().map({ $0 + 1 }), (1...18).contains(logN),
            let r = rest.crypt64Digit().map({ $0 + 1 }), (1...32).contains(r),
            128 * r << logN <= ImportedHashLimits.memoryBytesMax
        else { return false }
        return rest.skip("$") && rest.crypt64(1...86) != nil && rest.skip("$")
    }

    func isHash(of password: Password) throws(PasswordHashingFailed) -> Bool {
        guard let phrase = password.cString(), let hash = try CryptFunction.hash(phrase, setting: text) else {
            return false
        }
        return isEqual(hash, Array(text.utf8))
    }
}
