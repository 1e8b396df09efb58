/// ejabberd's external authentication (`extauth`). A message is its length in two bytes, the higher one first, and
///
///     auth:USER:SERVER:PASSWORD      may the user sign in?
///     isuser:USER:SERVER             is there such a user?
///     setpass:…, tryregister:…, removeuser:…, removeuser3:…
///
/// The reply is 0, 2 and the number 1 for yes or 0 for no, also in two bytes. What would change an account is answered
/// with no. ejabberd reports no address, and a password may contain colons.
///
/// A user of XMPP is `USER@SERVER`, and that is the email. If USER contains an `@`, in the form of XEP-0106
/// (`ann\40b.co`), it is the whole email.
struct Ejabberd: HelperProgram {
    mutating func next(in buffer: RequestBuffer) -> HelperRequest? {
        let request: (HelperRequest, bytes: Int)? = buffer.withBytes { bytes in
            guard bytes.count >= 2 else { return nil }
            let end = 2 + Int(bytes[0]) << 8 + Int(bytes[1])
            guard bytes.count >= end else { return nil }
            return (HelperRequest(Self.question(in: bytes[2..<end])), end)
        }
        guard let request else { return nil }
        buffer.removeFirst(request.bytes)
        return request.0
    }

    func reply(_ verdict: Verdict, to request: HelperRequest) -> [UInt8] {
        switch verdict {
        case .yes, .known: [0, 2, 0, 1]
        case .no, .later: [0, 2, 0, 0]
        }
    }

    private static func question(in message: Slice<UnsafeRawBufferPointer>) -> Question {
        let colon = UInt8(ascii: ":")
        let parts = message.split(separator: colon, maxSplits: 3, omittingEmptySubsequences: false)
        let operation = String(validating: Array(parts[0]), as: UTF8.self)
        switch (operation, parts.count) {
        case ("auth", 4):
            let name = email(of: parts[1], on: parts[2])
            return .attempt(Attempt(name: name, password: parts[3], from: nil, agent: "ejabberd"))
        case ("isuser", 3):
            return .isKnown(name: String(validating: email(of: parts[1], on: parts[2]), as: UTF8.self) ?? "")
        case ("setpass", _), ("tryregister", _), ("removeuser", _), ("removeuser3", _):
            return .refused(reason: "ejabberd asks for a change of an account")
        default:
            return .refused(reason: "an unknown request of ejabberd")
        }
    }

    /// The email that a user of XMPP has.
    private static func email(
        of user: Slice<UnsafeRawBufferPointer>,
        on server: Slice<UnsafeRawBufferPointer>
    ) -> [UInt8] {
        let user = unescaped(user)
        return user.contains(UInt8(ascii: "@")) ? user : user + [UInt8(ascii: "@")] + server
    }

    /// Replaces the escape sequences of XEP-0106 §4.2: a backslash and the code of a character that a name must not
    /// contain.
    private static func unescaped(_ user: some Collection<UInt8>) -> [UInt8] {
        let user = Array(user)
        var (result, place) = ([UInt8](), 0)
        while place < user.count {
            if user[place] == UInt8(ascii: "\\"), place + 2 < user.count,
                let escaped = escapes[String(decoding: user[(place + 1)...(place + 2)], as: UTF8.self)]
            {
                result.append(UInt8(ascii: escaped))
                place += 3
            } else {
                result.append(user[place])
                place += 1
            }
        }
        return result
    }

    private static let escapes: [String: Unicode.Scalar] = [
        "20": " ", "22": "\"", "26": "&", "27": "'", "2f": "/", "3a": ":", "3c": "<", "3e": ">", "40": "@", "5c": "\\",
    ]
}
