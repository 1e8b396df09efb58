/// The rules for the passwords that accounts set, in addition to the length in bytes that the contract states.
///
/// A rule that sets a password calls `check` before the password is hashed, with the email and the names that the
/// account will have. Imported hashes and temporary passwords are not checked.
///
/// Choices that NIST SP 800-63B revision 4 (section 3.1.1.2) leaves open:
///
/// - A character is a Unicode code point, as the section requires. The password is not normalised, because it is never
///   altered, also not before it is hashed.
/// - The whole password is compared with a list, without regard to case.
/// - "Derivatives" of the account's email and names are described at `PersonalText`.
package struct PasswordPolicy: Sendable {
    /// The rules that apply without further flags.
    package enum Name: String, CaseIterable, Sendable {
        /// The contract's own rules.
        case documented
        /// A minimum length, the most common passwords, and the account's own email and names.
        case nist
    }

    /// Why a password is refused. The order is that of the errors: a longer password is also a less common one.
    package enum Fault: CaseIterable, Sendable {
        case tooShort, common, personal
    }

    /// The minimum number of Unicode code points.
    private let charactersMin: Int
    private let isNIST: Bool
    private let list: PasswordList?

    /// - Parameters:
    ///   - charactersMin: the minimum number of Unicode code points; nil for that of the named policy.
    ///   - list: further passwords that are refused; nil for none.
    package init(_ name: Name = .documented, charactersMin: Int? = nil, list: PasswordList? = nil) {
        isNIST = name == .nist
        self.charactersMin = charactersMin ?? (isNIST ? Limits.passwordCharactersMin : 1)
        self.list = list
    }

    /// All faults of a password, the most important first.
    ///
    /// - Parameters:
    ///   - email: the account's email; nil if the request gives no valid one.
    ///   - names: the account's names, the first name before the last name.
    package func faults(in password: Password, email: String?, names: [String]) -> [Fault] {
        var faults: [Fault] = []
        if charactersMin > 1, password.characterCount < charactersMin { faults.append(.tooShort) }
        guard isNIST || list != nil else { return faults }
        let folded = password.folded
        if isNIST && CommonPasswords.contain(folded) || list?.contains(folded) ?? false { faults.append(.common) }
        if isNIST, PersonalText.texts(email: email, names: names).contains(where: { $0.resembles(password) }) {
            faults.append(.personal)
        }
        return faults
    }

    /// Throws the errors of a password that the policy refuses.
    ///
    /// - Parameters:
    ///   - email: the account's email; nil if the request gives no valid one.
    ///   - names: the account's names, the first name before the last name.
    ///   - error: the error of the account's API for a fault.
    package func check(
        _ password: Password,
        email: String?,
        names: [String],
        error: (Fault) -> AccountError
    ) throws(AccountError) {
        if let error = AccountError(all: faults(in: password, email: email, names: names).map(error)) { throw error }
    }
}
