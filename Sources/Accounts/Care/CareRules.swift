package import JSON

/// The rules for single properties of the care API.
///
/// The rules whose errors are reported together, such as those for emails and passwords, return their errors. The other
/// rules throw, and only the first error is reported.
package enum CareRules {
    typealias Codes = ErrorCode.Care

    static func email(_ given: Given<String>) -> (EmailAddress?, [AccountError]) {
        if given.isBlank { return (nil, [given.error(Codes.emailRequired)]) }
        let email = given.value.flatMap { EmailAddress($0) }
        return (email, email == nil ? [given.error(Codes.invalidEmail)] : [])
    }

    static func password(_ given: Given<Password>) -> (Password?, [AccountError]) {
        if given.isMissing { return (nil, [given.error(Codes.passwordRequired)]) }
        return (given.password, given.password == nil ? [given.error(Codes.invalidPassword)] : [])
    }

    /// The error of a new password that the password policy refuses.
    package static func code(of fault: PasswordPolicy.Fault) -> ErrorCode {
        switch fault {
        case .tooShort: Codes.passwordTooShort
        case .common: Codes.passwordCommon
        case .personal: Codes.passwordPersonal
        }
    }

    static func role(_ given: Given<String>) -> (String?, [AccountError]) {
        word(given, CareRole.allCases, Codes.invalidRole)
    }

    static func access(_ given: Given<String>) -> (String?, [AccountError]) {
        word(given, CareAccess.allCases, Codes.invalidAccess)
    }

    /// The group of a share that a request creates: any group except that of the owner.
    static func group(_ given: Given<String>) -> (String?, [AccountError]) {
        word(given, CareGroup.allCases.filter { $0 != .owner }, Codes.invalidGroup)
    }

    private static func word<Word: RawRepresentable<String> & Equatable>(
        _ given: Given<String>,
        _ words: [Word],
        _ code: ErrorCode
    ) -> (String?, [AccountError]) {
        let word = given.value.flatMap { Word(rawValue: $0) }.flatMap { words.contains($0) ? $0.rawValue : nil }
        return (word, word == nil ? [given.error(code)] : [])
    }

    /// The value of a rule that returns its errors. Throws the errors if there are any.
    static func single<Value>(_ judged: (value: Value?, errors: [AccountError])) throws -> Value {
        if let error = AccountError(all: judged.errors) { throw error }
        guard let value = judged.value else { throw AccountError(ErrorCode.Service.invalidRequest) }
        return value
    }

    /// A text; "" if it is absent, null or blank.
    static func text(_ given: Given<String>, charactersMax: Int, _ code: ErrorCode) throws -> String {
        if given.isBlank { return "" }
        guard let text = given.text(charactersMax: charactersMax) else { throw given.error(code) }
        return text
    }

    static func firstName(_ given: Given<String>) throws -> String {
        try text(given, charactersMax: Limits.nameCharactersMax, Codes.invalidFirstName)
    }

    /// The first name of a patient.
    static func requiredFirstName(_ given: Given<String>) throws -> String {
        if given.isBlank { throw given.error(Codes.firstNameRequired) }
        return try firstName(given)
    }

    static func lastName(_ given: Given<String>) throws -> String {
        try text(given, charactersMax: Limits.nameCharactersMax, Codes.invalidLastName)
    }

    static func phone(_ given: Given<String>) throws -> String {
        try text(given, charactersMax: Limits.phoneCharactersMax, Codes.invalidPhone)
    }

    /// A National Provider Identifier: ten digits that begin with 1 or 2 and pass the Luhn check with 80840 in front
    /// (CMS, "Requirements for NPI and Check Digit"); "" if blank.
    static func npi(_ given: Given<String>) throws -> String {
        if given.isBlank { return "" }
        guard let npi = given.value, npi.utf8.count == 10,
            npi.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            npi.hasPrefix("1") || npi.hasPrefix("2")
        else { throw given.error(Codes.invalidNpi) }
        let sum = ("80840" + npi).utf8.reversed().enumerated().reduce(0) { sum, place in
            let digit = Int(place.element - UInt8(ascii: "0")) * (place.offset % 2 == 1 ? 2 : 1)
            return sum + digit / 10 + digit % 10
        }
        guard sum % 10 == 0 else { throw given.error(Codes.invalidNpi) }
        return npi
    }

    private static let earliestBirthdate = "\(Limits.birthYearMin)-01-01"

    /// A calendar date from `Limits.birthYearMin` to tomorrow; nil if blank. Tomorrow is allowed because a patient in a
    /// time zone east of UTC may be born on the day after the current date in UTC.
    static func birthdate(_ given: Given<String>, at now: Timestamp) throws -> String? {
        if given.isBlank { return nil }
        guard let day = given.value, day.utf8.count == 10, Timestamp(day + "T00:00:00.000000Z") != nil,
            day >= earliestBirthdate, day <= now.adding(seconds: 86_400).description.prefix(10)
        else { throw given.error(Codes.invalidBirthdate) }
        return day
    }

    static func sex(_ given: Given<String>) throws -> String? {
        if given.isBlank { return nil }
        guard let sex = given.value.flatMap({ CareSex(rawValue: $0) }) else { throw given.error(Codes.invalidSex) }
        return sex.rawValue
    }

    /// A whole number, at least 0; `standard` if it is absent or null.
    static func count(_ given: Given<Int>, standard: Int, _ code: ErrorCode) throws -> Int {
        switch given {
        case .absent, .null: return standard
        case .value(let count) where count >= 0: return count
        default: throw given.error(code)
        }
    }
}

extension CareRules: AccountRules {
    package static func invalidOrigin(_ field: String, _ expectedType: String?) -> AccountError {
        AccountError(Codes.invalidClient, field: field, expectedType: expectedType)
    }

    package static func invalidLifetime(_ field: String, _ expectedType: String?) -> AccountError {
        AccountError(Codes.invalidSessionSeconds, field: field, expectedType: expectedType)
    }

    package static func password(_ given: Given<Password>, _ field: String) throws -> Password {
        guard let password = given.password else {
            let code = given.isMissing ? Codes.passwordRequired : Codes.invalidPassword
            throw AccountError(code, field: field, expectedType: given.expectedType)
        }
        return password
    }

    package static func email(_ given: Given<String>, _ field: String) throws -> EmailAddress {
        try single(email(given))
    }

    package static func code(_ given: Given<String>, _ field: String) throws -> String {
        guard let code = given.code() else { throw given.error(Codes.invalidCode) }
        return code
    }

    package static func locale(_ given: Given<String>, _ field: String) throws -> String? {
        try given.locale(orThrow: given.error(Codes.invalidLocale))
    }

    /// A value that is no number of a session is answered like the number of no session.
    package static func sessionNumber(_ given: Given<Int>, _ field: String) throws -> Int {
        guard let number = given.value else {
            throw AccountError(Codes.sessionNotFound, field: field, expectedType: given.expectedType)
        }
        return number
    }

    package static func metadata(_ given: Given<CompactObject>, _ field: String) throws -> CompactObject {
        guard let object = given.value, object.isMetadata else {
            throw AccountError(Codes.invalidMetadata, field: field, expectedType: given.expectedType)
        }
        return object
    }
}
