import JSON
import Testing

@testable import PosternSchema

/// Each limit of the contract is stated once, in schema/limits.json.
struct ContractLimitsTests {
    private let limits: ContractLimits

    init() throws {
        limits = try ContractLimits([
            "limits": [
                ["name": "noteBytesMax", "module": "Accounts", "value": 1_024, "description": "Bytes of a note."],
                ["name": "noteSeconds", "module": "Accounts", "value": 86_400, "description": "How long it stays."],
            ]
        ])
    }

    @Test func replacesANameWithItsNumber() throws {
        let property: JSONValue = [
            "maxLength": "noteBytesMax", "minLength": 1, "description": "1 to {noteBytesMax} bytes, for {noteSeconds}.",
        ]
        let expected: JSONValue = [
            "maxLength": 1_024, "minLength": 1, "description": "1 to 1,024 bytes, for a day.",
        ]
        #expect(try limits.resolved(property).text == expected.text)
    }

    /// Limits were once written in schema/ and again in Swift, and no check compared them.
    @Test(
        arguments: [
            ["maxLength": 1_024], ["minimum": 2], ["maximum": "unknownMax"],
            ["properties": [["description": "1 to 1,024 bytes."]]], ["when": "Within 24 hours."],
            ["description": "Good for a week."], ["description": "Good for 2 weeks."],
        ] as [JSONValue]
    )
    func refusesALimitWrittenAsANumber(_ part: JSONValue) {
        #expect(throws: SchemaError.self) { try limits.resolved(part) }
    }

    /// A misspelt name was once published in braces.
    @Test(arguments: ["1 to {noteByteMax} bytes.", "{notes}", "{noteSeconds} and {noteSecond}", "{field} is missing."])
    func refusesAnUnknownLimitName(text: String) {
        #expect(throws: SchemaError.self) { try limits.resolved(["description": .string(text)]) }
    }

    @Test(arguments: ["{Field} is missing.", "{}", #"{"a":1}"#, "^[0-9]{9}$", "A second call changes nothing."])
    func keepsOtherBraces(text: String) throws {
        #expect(try limits.resolved(.string(text)) == .string(text))
    }

    @Test func refusesALimitStatedTwice() {
        let limit: JSONValue = ["name": "notesMax", "module": "Store", "value": 3, "description": "Notes."]
        #expect(throws: SchemaError.self) { try ContractLimits(["limits": [limit, limit]]) }
    }
}
