import Accounts
import PosternTesting
import Testing

/// The hashes of other programs that an import accepts.
struct ImportedHashTests {
    private let hasher = Argon2idHasher()

    private func isHash(_ hash: String, of password: String) throws -> Bool {
        try hasher.verify(Password(password.utf8), against: PasswordHash(text: hash))
    }

    private func canVerify(_ hash: String) -> Bool {
        Argon2idHasher.canVerify(PasswordHash(text: hash))
    }

    /// Each form of each program is in the vectors.
    @Test func hasVectorsOfEachForm() {
        let heads = [
            "$argon2id$", "$argon2i$", "argon2$argon2id$", "$2a$", "$2b$", "$2x$", "$2y$", "bcrypt$$2b$",
            "bcrypt_sha256$$2b$", "$wp$2y$", "$1$", "$5$", "$5$rounds=", "$6$", "$6$rounds=", "$y$j9T$", "$pbkdf2$",
            "$pbkdf2-sha1$i=", "$pbkdf2-sha256$i=", "$pbkdf2-sha512$i=", "$pbkdf2-sha256$2", "$pbkdf2-sha512$2",
            "pbkdf2_sha1$", "pbkdf2_sha256$", "pbkdf2_sha512$", "pbkdf2:sha1:", "pbkdf2:sha256:", "pbkdf2:sha512:",
            "$scrypt$ln=", "scrypt$", "scrypt:", "$fbscrypt$v=1,", "$P$",
        ]
        for head in heads {
            #expect(HashVector.all.contains { $0.hash.hasPrefix(head) }, "\(head)")
        }
    }

    @Test(arguments: HashVector.all)
    func verifiesThePasswordAlone(vector: HashVector) throws {
        #expect(canVerify(vector.hash))
        #expect(try isHash(vector.hash, of: vector.password))
        #expect(try !isHash(vector.hash, of: vector.password + "!"))
        #expect(try !isHash(vector.changedHash, of: vector.password))
        #expect(hasher.needsRehash(PasswordHash(text: vector.hash)))
    }

    /// C functions take a text up to its first NUL, and HMAC fills a key up with zeros.
    @Test func refusesAPasswordWithANulAfterIt() throws {
        for vector in HashVector.all {
            #expect(try !isHash(vector.hash, of: vector.password + "\0"), "\(vector)")
        }
    }

    /// bcrypt hashes 72 bytes. The vector is from the tests of crypt_blowfish 1.3.
    @Test func truncatesALongPasswordForBcryptAlone() throws {
        let hash = "$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui"
        let bytes = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
        #expect(try isHash(hash, of: bytes + "chars after 72 are ignored as usual"))
        #expect(try isHash(hash, of: bytes + String(repeating: "x", count: 900)))
        #expect(try !isHash(hash, of: String(bytes.dropLast())))
        for vector in HashVector.all where vector.hash.hasPrefix("$6$") {
            #expect(try !isHash(vector.hash, of: vector.password + String(repeating: "x", count: 900)))
        }
    }

    private static let salt = "c2FsdHNhbHQ"
    private static let hash = "QmDcInomx+YkjeDVvizoktBU17c+K6dtegSszIvy80E"
    private static let hex = String(repeating: "0a", count: 32)
    private static let crypt43 = String(repeating: "a", count: 43)
    private static let crypt53 = String(repeating: "a", count: 53)
    private static let crypt86 = String(repeating: "a", count: 86)

    /// The parameters and the hash from the README of github.com/firebase/scrypt.
    private static let firebase = (
        key: "jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==",
        salt: "42xEC+ixf3L2lw==",
        hash: "lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ=="
    )

    private static func fbscrypt(_ cost: String, separator: String = "Bw==", hash: String = firebase.hash) -> String {
        "$fbscrypt$v=1,\(cost),p=1,ss=\(separator),sk=\(firebase.key)$\(firebase.salt)$\(hash)"
    }

    @Test func verifiesThePublishedHashOfFirebase() throws {
        let hash = Self.fbscrypt("n=14,r=8")
        #expect(try isHash(hash, of: "user1password"))
        #expect(try !isHash(hash, of: "user1passwor"))
        for (old, new) in [
            ("n=14", "n=13"), ("r=8", "r=7"), ("ss=Bw", "ss=CA"), ("42xEC", "42xED"), ("uid5lQ==", "uid5lA=="),
            // The last block of the signer key.
            ("J9WmXA==", "J9WmXQ=="),
        ] {
            let changed = hash.replacing(old, with: new)
            #expect(changed != hash && canVerify(changed), "\(changed)")
            #expect(try !isHash(changed, of: "user1password"), "\(changed)")
        }
        for form in [
            hash.replacing("v=1", with: "v=2"), hash.replacing("p=1", with: "p=2"),
            hash.replacing("ss=Bw==,", with: ""),
            hash.replacing("==", with: ""), hash.replacing("jxspr8Ki", with: ""), hash.replacing("lSrfV15c", with: ""),
        ] {
            #expect(!canVerify(form), "\(form)")
        }
    }

    /// Pairs of a hash whose cost is the bound, and one that exceeds it.
    private static let bounds: [(within: String, over: String)] = [
        ("$argon2id$v=19$m=262144,t=10,p=4$\(salt)$\(hash)", "$argon2id$v=19$m=262145,t=10,p=4$\(salt)$\(hash)"),
        ("$argon2i$v=19$m=262144,t=10,p=4$\(salt)$\(hash)", "$argon2i$v=19$m=262144,t=11,p=4$\(salt)$\(hash)"),
        ("argon2$argon2id$v=19$m=64,t=1,p=8$\(salt)$\(hash)", "argon2$argon2id$v=19$m=64,t=1,p=9$\(salt)$\(hash)"),
        ("$2b$15$\(crypt53)", "$2b$16$\(crypt53)"), ("$2b$04$\(crypt53)", "$2b$03$\(crypt53)"),
        ("bcrypt_sha256$$2b$15$\(crypt53)", "bcrypt_sha256$$2b$16$\(crypt53)"),
        ("$wp$2y$15$\(crypt53)", "$wp$2y$31$\(crypt53)"),
        ("$5$rounds=1000000$salt$\(crypt43)", "$5$rounds=1000001$salt$\(crypt43)"),
        ("$6$rounds=1000000$salt$\(crypt86)", "$6$rounds=1000001$salt$\(crypt86)"),
        ("$6$rounds=1000$salt$\(crypt86)", "$6$rounds=999$salt$\(crypt86)"),
        // yescrypt: 4 KiB blocks, and 2¹⁶ or 2¹⁷ of them.
        ("$y$jDT$salt$\(crypt43)", "$y$jET$salt$\(crypt43)"),
        ("$pbkdf2-sha256$i=10000000$\(salt)$\(hash)", "$pbkdf2-sha256$i=10000001$\(salt)$\(hash)"),
        // A hash of two blocks.
        ("$pbkdf2-sha1$i=5000000$\(salt)$\(hash.prefix(43))", "$pbkdf2-sha1$i=5000001$\(salt)$\(hash)"),
        ("pbkdf2_sha256$10000000$salt$\(hash)=", "pbkdf2_sha256$10000001$salt$\(hash)="),
        ("pbkdf2:sha256:10000000$salt$\(hex)", "pbkdf2:sha256:10000001$salt$\(hex)"),
        ("$pbkdf2-sha512$10000000$\(salt)$\(hash.replacing("+", with: "."))", "$pbkdf2-sha512$10000001$\(salt)$abcd"),
        ("$scrypt$ln=17,r=16,p=16$\(salt)$\(hash)", "$scrypt$ln=17,r=17,p=1$\(salt)$\(hash)"),
        ("$scrypt$ln=17,r=8,p=1$\(salt)$\(hash)", "$scrypt$ln=18,r=1,p=1$\(salt)$\(hash)"),
        ("scrypt$131072$salt$8$16$\(hash)=", "scrypt$131072$salt$8$17$\(hash)="),
        ("scrypt:131072:8:16$salt$\(hex)", "scrypt:262144:8:1$salt$\(hex)"),
        ("scrypt:131072:8:1$salt$\(hex)", "scrypt:131071:8:1$salt$\(hex)"),
        (fbscrypt("n=17,r=16"), fbscrypt("n=17,r=17")), (fbscrypt("n=1,r=1"), fbscrypt("n=18,r=1")),
        ("$P$H" + crypt43.prefix(30), "$P$I" + crypt43.prefix(30)),
        ("$P$5" + crypt43.prefix(30), "$P$4" + crypt43.prefix(30)),
    ]

    @Test(arguments: bounds.indices)
    func limitsTheCost(_ row: Int) throws {
        let (within, over) = Self.bounds[row]
        #expect(canVerify(within), "\(within)")
        #expect(!canVerify(over), "\(over)")
        #expect(try !isHash(over, of: "password"))
    }

    @Test(arguments: [
        "", "$", "password", "5f4dcc3b5aa765d61d8327deb882cf99", "$2$10$\(crypt53)", "$2c$10$\(crypt53)",
        "$argon2d$v=19$m=65536,t=3,p=4$\(salt)$\(hash)", "$argon2id$v=16$m=65536,t=3,p=4$\(salt)$\(hash)",
        "argon2argon2id$v=19$m=65536,t=3,p=4$\(salt)$\(hash)", "argon2$$argon2id$v=19$m=65536,t=3,p=4$\(salt)$\(hash)",
        "$3$$8846f7eaee8fb117ad06bdd830b7586c", "$7$C6..../....SodiumChloride$\(crypt43)", "$md5$salt$\(crypt43)",
        "$sha1$40000$salt$abcdefghijklmnopqrstuvwxyz01", "$gy$j9T$salt$\(crypt43)", "_J9..rasmBYk8r9AiWNc",
        "rasmusrasmusr",
        "$H$9" + crypt43.prefix(30), "$S$D" + crypt43.prefix(52), "md5$salt$5f4dcc3b5aa765d61d8327deb882cf99",
        "sha1$salt$5f4dcc3b5aa765d61d8327deb882cf9900000000", "unsalted_md5$$5f4dcc3b5aa765d61d8327deb882cf99",
        "pbkdf2_md5$1000$salt$\(hash)=", "pbkdf2:sha224:1000$salt$\(hex)", "pbkdf2:sha256$salt$\(hex)",
        "$pbkdf2-sha3$i=1000$\(salt)$\(hash)", "$pbkdf2-sha256$i=1000,l=31$\(salt)$\(hash)", "sha256:1000:salt:\(hash)",
        "$bcrypt-sha256$v=2,t=2b,r=12$n79VH.0Q2TMWmt3Oqt9uku$Kq4Noyk3094Y2QlB8NdRT8SvGiI4ft2",
        "{SSHA}\(hash)", "$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw,sk=\(hash)$\(salt)$\(hash)", "!", "*", "!\(crypt53)",
        "$wp\(crypt53)", "$wp$P$B\(crypt43)", "bcrypt$$wp$2y$10$\(crypt53)", "bcrypt$2b$10$\(crypt53)",
        "2b$10$\(crypt53)",
        "$scrypt$ln=14,r=8$\(salt)$\(hash)", "$scrypt$ln=14,r=0,p=1$\(salt)$\(hash)", "scrypt:16384:8:1$$\(hex)",
        "scrypt:16384:8:1$salt$\(hex)\(hex)\(hex)", "scrypt$16384$salt$8$1$\(hash)", "scrypt$16384$salt$8$1",
    ])
    func refusesOtherForms(hash: String) throws {
        #expect(!canVerify(hash))
        #expect(try !isHash(hash, of: "password"))
    }

    /// libsodium decodes some bytes over 127 as Base64, and so did the parser once.
    @Test(arguments: HashVector.all)
    func refusesAVectorWithACharacterBeyondASCII(vector: HashVector) {
        for index in vector.hash.indices {
            var changed = vector.hash
            changed.replaceSubrange(index...index, with: "\u{FFFD}")
            #expect(!canVerify(changed), "\(changed)")
        }
    }

    /// Each vector with a part missing, or with more at its end.
    @Test(arguments: HashVector.all)
    func refusesAVectorThatIsCutOrContinued(vector: HashVector) {
        for tail in ["$", "=", " ", "\n", "\0", "é", "A$A"] {
            #expect(!canVerify(vector.hash + tail), "\(vector) \(tail)")
        }
        let cuts = vector.hash.indices.dropFirst().filter { vector.hash[$0] == "$" }
        for cut in cuts {
            #expect(!canVerify(String(vector.hash[..<cut])) && !canVerify(String(vector.hash[...cut])), "\(vector)")
        }
        #expect(!canVerify(" " + vector.hash))
    }
}
