import FoundationEssentials
import JSON
import PosternTesting
import Testing

@testable import PosternSchema

/// What stands once in schema/ and is used in several places.
struct DefinitionsTests {
    private static let account: JSONValue = [
        "properties": [["name": "email", "type": "string", "description": "The email.", "format": "email"]]
    ]
    private static let clubs: JSONValue = [
        "api": "clubs", "enums": [["name": "Rank", "description": "A rank.", "values": ["guest", "host"]]],
        "properties": [["name": "rank", "type": "Rank?", "description": "The rank."]],
    ]

    private func resolved(_ properties: JSONValue) throws -> JSONValue? {
        let api = JSONValue.object((Self.clubs.object ?? []) + [.init("params", properties)])
        return try Definitions(account: Self.account, apis: [Self.clubs]).resolved(api)["params"]
    }

    @Test func aPropertyOfSeveralAPIsIsUsedByName() throws {
        let expected: JSONValue = [
            ["name": "email", "type": "string", "description": "Whose.", "format": "email", "required": true]
        ]
        #expect(try resolved([["use": "email", "required": true, "description": "Whose."]]) == expected)
    }

    @Test func anEnumerationIsAStringWithItsValues() throws {
        let rank = try #require(resolved([["use": "rank"]])?.array?.first)
        let property = try Property(rank)
        #expect(property.type.base == "string" && property.type.isNullable)
        #expect(rank["enum"] == ["guest", "host", .null])
        #expect(property.enumeration?.name == "ClubsRank" && property.enumeration?.isWhole == true)
    }

    @Test func aPropertyMayHaveSomeValuesOnly() throws {
        let rank = try #require(resolved([["use": "rank", "type": "ClubsRank", "enum": ["host"]]])?.array?.first)
        #expect(rank["enum"] == ["host"])
        #expect(try Property(rank).enumeration?.isWhole == false)
    }

    @Test func whatIsNotDescribedIsRefused() {
        #expect(throws: SchemaError.self) { try resolved([["use": "phone"]]) }
    }

    @Test func aPropertyIsDescribedOnce() {
        let twice: JSONValue = [
            "api": "clubs", "properties": [["name": "email", "type": "string", "description": ""]],
        ]
        #expect(throws: SchemaError.self) {
            try Definitions(account: Self.account, apis: [twice]).resolved(twice)
        }
    }

    @Test func aRecordOnTheWireIsTheRecord() throws {
        let seq: JSONValue = ["name": "seq", "type": "integer", "description": "The number."]
        let account: JSONValue = [
            "records": [["name": "Event", "description": "An event.", "personal": true, "properties": [seq]]]
        ]
        let records = try account.list("records").map { try ObjectType($0) }
        func clubs(_ types: JSONValue...) throws -> API {
            let file: JSONValue = [
                "api": "clubs", "title": "Clubs", "description": "", "instructions": "", "types": .array(types),
            ]
            let resolved = try Definitions(account: account, apis: [file]).resolved(file)
            return try API(resolved, sharedRecords: records)
        }
        let shown = try clubs(["use": "Event"], ["name": "Club", "description": "A club.", "properties": []])
        #expect(shown.typeName("Event") == "Event" && shown.typeName("Club") == "ClubsClub")
        #expect(throws: SchemaError.self) {
            try clubs(["name": "Event", "description": "An event.", "properties": []])
        }
    }

    /// Two APIs show the event, and a client has one type for both.
    @Test func aRecordIsOneTypeForClients() throws {
        let contract = try Contract(root: PosternProcess.repository.path)
        #expect(contract.apis.count { $0.types.contains { $0.name == "Event" } } == 2)
        let types = ClientContract(contract).types
        #expect(Set(types.map(\.name)).count == types.count)
        let event = try #require(types.first { $0.name == "Event" })
        #expect(event.properties.last?.content == .object("EventDetail"))
        let page = try #require(types.first { $0.name == "AdminEventPage" })
        #expect(page.properties.first?.content == .object("Event"))
    }

    /// The results of care have a further property, `success`. The sessions within one have not.
    @Test func aTypeThatTheRulesReturnIsTheSameOnTheWire() throws {
        let contract = try Contract(root: PosternProcess.repository.path)
        func ruleTypes(_ name: String) throws -> Set<String> {
            contract.ruleTypes(of: try #require(contract.apis.first { $0.name == name }))
        }
        let admin = try #require(contract.apis.first { $0.name == "admin" })
        #expect(try ruleTypes("admin") == Set(admin.types.map(\.name)))
        #expect(try ruleTypes("operators").isSuperset(of: ["OpenSession", "SessionList", "ConfirmedEmail"]))
        #expect(try ruleTypes("care") == ["OpenSession"])
        #expect(try ruleTypes("service") == ["Event", "EventDetail"])
        let care = try #require(contract.apis.first { $0.name == "care" })
        let text = WireEmitter(care, accountResults: contract.accountResults, ruleTypes: try ruleTypes("care")).text
        #expect(text.contains("package typealias OpenSession = Accounts.OpenSession"))
        #expect(text.contains("package init(_ result: Accounts.SessionList) {"))
        #expect(text.contains("sessions = result.sessions\n"))
    }
}
