internal import CSodium

/// A hash of scrypt (RFC 7914):
///
///     $scrypt$ln=14,r=8,p=1$SALT$HASH    PHC string, also of Passlib
///     scrypt$16384$SALT$8$5$HASH         Django
///     scrypt:32768:8:1$SALT$HASH         Werkzeug
struct ScryptHash: ImportedHash {
    private let cost: Cost
    private let salt: [UInt8]
    private let hash: [UInt8]

    init?(_ text: HashScanner) {
        var rest = text
        let parsed: (n: Int?, r: Int?, p: Int?, salt: [UInt8]?, hash: [UInt8]?)
        if rest.skip("$scrypt$ln=") {
            parsed.n = rest.number(in: 1...17).map { 1 << $0 }
            parsed.r = rest.skip(",r=") ? rest.number(in: Self.blocks) : nil
            parsed.p = rest.skip(",p=") ? rest.number(in: Self.lanes) : nil
            parsed.salt = rest.skip("$") ? rest.base64Field(.unpadded, 1...ImportedHashLimits.saltBytesMax) : nil
            parsed.hash = rest.base64(.unpadded)
        } else if rest.skip("scrypt$") {
            parsed.n = rest.number(in: Self.costs)
            parsed.salt = rest.skip("$") ? rest.textSalt() : nil
            parsed.r = rest.number(in: Self.blocks)
            parsed.p = rest.skip("$") ? rest.number(in: Self.lanes) : nil
            parsed.hash = rest.skip("$") ? rest.base64(.padded) : nil
        } else if rest.skip("scrypt:") {
            parsed.n = rest.number(in: Self.costs)
            parsed.r = rest.skip(":") ? rest.number(in: Self.blocks) : nil
            parsed.p = rest.skip(":") ? rest.number(in: Self.lanes) : nil
            parsed.salt = rest.skip("$") ? rest.textSalt() : nil
            parsed.hash = rest.hexadecimal()
        } else {
            return nil
        }
        guard let n = parsed.n, let r = parsed.r, let p = parsed.p, let salt = parsed.salt, let hash = parsed.hash,
            let cost = Cost(n: n, r: r, p: p)
        else { return nil }
        (self.cost, self.salt, self.hash) = (cost, salt, hash)
    }

    private static let costs = 2...ImportedHashLimits.scryptNMax
    private static let blocks = 1...64
    private static let lanes = 1...ImportedHashLimits.scryptParallelismMax

    func isHash(of password: Password) throws(PasswordHashingFailed) -> Bool {
        guard !password.endsWithNul else { return false }
        return isEqual(try cost.key(of: password, salt: salt, count: hash.count), hash)
    }
}

extension ScryptHash {
    /// The parameters of scrypt.
    struct Cost {
        private let n: Int
        private let r: Int
        private let p: Int

        /// nil if N is not a power of two, or the memory exceeds its bound.
        init?(n: Int, r: Int, p: Int) {
            guard n & (n - 1) == 0, 128 * r * n <= ImportedHashLimits.memoryBytesMax else { return nil }
            (self.n, self.r, self.p) = (n, r, p)
        }

        /// The key that scrypt derives from a password.
        func key(of password: Password, salt: [UInt8], count: Int) throws(PasswordHashingFailed) -> [UInt8] {
            var derived = [UInt8](repeating: 0, count: count)
            let status = password.withCharacters { characters, count in
                characters.withMemoryRebound(to: UInt8.self, capacity: Int(count)) {
                    crypto_pwhash_scryptsalsa208sha256_ll(
                        $0,
                        Int(count),
                        salt,
                        salt.count,
                        UInt64(n),
                        UInt32(r),
                        UInt32(p),
                        &derived,
                        derived.count
                    )
                }
            }
            // The parameters are valid, so the call fails only if the memory cannot be allocated.
            guard status == 0 else { throw PasswordHashingFailed() }
            return derived
        }
    }
}
