internal import Platform

/// A text that everybody can know of an account: its email, the part before the `@`, a name, or both names.
///
/// A password resembles it if both are equal in lower case, or have the same letters, and the password has at most
/// `othersMax` digits, signs and spaces more. The password may repeat the letters:
///
///     Luke Sorenson, lasoren@bu.edu   refused: LaSoren@bu.edu, luke.sorenson-1987!, sorensonluke2026, lukelukelukeluke
///                                     admitted: luke likes sorenson, luke 8417 2901 5512
struct PersonalText {
    private let folded: Password
    private let letters: Password
    private let others: Int

    /// A date has eight digits.
    private static let othersMax = 8

    init(_ text: String) {
        let text = Password(text.utf8)
        folded = text.folded
        (letters, others) = text.letters
    }

    /// The texts of an account.
    static func texts(email: String?, names: [String]) -> [PersonalText] {
        let local = email.flatMap { $0.split(separator: "@").first }.map { String($0) }
        let joined = names.joined(separator: " ")
        let reversed = names.reversed().joined(separator: " ")
        return ([email, local].compactMap { $0 } + names + [joined, reversed]).filter { !$0.isEmpty }
            .map { PersonalText($0) }
    }

    /// Whether a password is this text, or nearly so.
    func resembles(_ password: Password) -> Bool {
        if password.folded == folded { return true }
        let given = password.letters
        guard !letters.isEmpty, given.text.count % letters.count == 0 else { return false }
        let times = given.text.count / letters.count
        return times > 0 && given.others <= times * others + Self.othersMax && isRepeated(in: given.text)
    }

    /// Whether a text consists of the letters of this text, once or several times.
    private func isRepeated(in text: Password) -> Bool {
        text.withUnsafeBytes { text in
            letters.withUnsafeBytes { letters in
                stride(from: 0, to: text.count, by: letters.count).allSatisfy { start in
                    UnsafeRawBufferPointer(rebasing: text[start..<start + letters.count]).hasBytes(of: letters)
                }
            }
        }
    }
}
