import Platform

/// The password hash parameters of a Firebase project, as the Firebase console shows them:
///
///     hash_config {
///       algorithm: SCRYPT,
///       base64_signer_key: jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==,
///       base64_salt_separator: Bw==,
///       rounds: 8,
///       mem_cost: 14,
///     }
struct FirebaseParameters {
    private let signerKey, separator, rounds, memoryCost: String

    private static let names = ["base64_signer_key", "base64_salt_separator", "rounds", "mem_cost"]

    init(_ path: SystemString) throws(CommandError) {
        let text: String
        do throws(CommandError) {
            text = try TextFile.contents(of: path)
        } catch {
            throw .usage("--firebase-hash: \(error.message)")
        }
        var values: [String: String] = [:]
        for line in text.split(whereSeparator: \.isNewline) {
            let parts = line.split(separator: ":", maxSplits: 1).map { part in
                String(part.drop { $0 == " " }.reversed().drop { $0 == " " || $0 == "," }.reversed())
            }
            if parts.count == 2 { values[parts[0]] = parts[1] }
        }
        if let name = Self.names.first(where: { values[$0, default: ""].isEmpty }) {
            throw .usage("--firebase-hash: \(path): no \(name)")
        }
        signerKey = values["base64_signer_key", default: ""]
        separator = values["base64_salt_separator", default: ""]
        rounds = values["rounds", default: ""]
        memoryCost = values["mem_cost", default: ""]
    }

    /// The hash of a user, in the form that is stored.
    func hash(_ hash: String, salt: String) -> String {
        "$fbscrypt$v=1,n=\(memoryCost),r=\(rounds),p=1,ss=\(separator),sk=\(signerKey)$\(salt)$\(hash)"
    }
}
