import Testing

@testable import Accounts

struct CareRulesTests {
    /// 2016-02-28, before midnight.
    private let now = Timestamp(microseconds: 1_456_703_999_999_999)

    /// 1245319599 is in CMS's and the document's examples. 1234567893 is the example of "Requirements for National
    /// Provider Identifier (NPI) and NPI Check Digit".
    @Test(arguments: ["1245319599", "1234567893"])
    func acceptsProviderIdentifiers(npi: String) throws {
        #expect(try CareRules.npi(.value(npi)) == npi)
    }

    @Test(arguments: [
        "1245319598", "124531959", "12453195990", "124531959a", "１２４５３１９５９９", " 1245319599", "0000000000",
        // The form and the check digit are valid, but CMS assigns no numbers with this first digit.
        "0123456788", "3000000000", "9000000007",
    ])
    func refusesInvalidProviderIdentifiers(npi: String) {
        #expect(throws: AccountError(ErrorCode.Care.invalidNpi)) { try CareRules.npi(.value(npi)) }
    }

    /// The check digit detects every single wrong digit.
    @Test func noticesEachWrongDigit() {
        let digits = Array("1245319599")
        for place in digits.indices {
            for digit in "0123456789" where digit != digits[place] {
                var wrong = digits
                wrong[place] = digit
                #expect(throws: AccountError.self) { try CareRules.npi(.value(String(wrong))) }
            }
        }
    }

    @Test(arguments: ["2016-02-29", "1900-01-01", "2000-12-31", "1850-01-01"])
    func acceptsDates(day: String) throws {
        #expect(try CareRules.birthdate(.value(day), at: now) == day)
    }

    @Test(arguments: [
        "2015-02-29", "1900-02-29", "2016-2-9", "29.02.2016", "2016-02-29T00:00:00.000000Z", "x", "2016-03-01",
        "1849-12-31", "0000-01-01", "9999-12-31",
    ])
    func refusesInvalidDates(day: String) {
        #expect(throws: AccountError(ErrorCode.Care.invalidBirthdate)) { try CareRules.birthdate(.value(day), at: now) }
    }
}
