import Accounts
import JSON
import Testing

@testable import Service

/// The minimum length of a record in a reply is at most the length of a record with empty strings.
struct ReplyLengthTests {
    private static let time = Timestamp(microseconds: 1_456_351_672_371_513)

    private func bytes(_ write: (inout JSONWriter) -> Void) -> Int {
        var writer = JSONWriter()
        write(&writer)
        return writer.count
    }

    @Test func aClientTakesAtLeastItsMinimum() {
        let person = OperatorsWire.Person(id: 1, created: Self.time, firstName: "", lastName: "", email: "")
        let client = OperatorsWire.Client(id: 1, created: Self.time, user: person, address: "", deleted: nil)
        #expect(bytes(client.write) >= Limits.clientReplyBytesMin)
    }

    @Test func aShareTakesAtLeastItsMinimum() {
        let share = CareWire.Share(id: 1, email: "", access: "read", group: "owner", isUser: true)
        #expect(bytes(share.write) >= Limits.shareReplyBytesMin)
    }

    @Test func aPatientTakesAtLeastItsMinimum() {
        let patient = CareWire.Patient(
            id: 1,
            firstName: "",
            lastName: "",
            birthdate: "",
            sex: "",
            phone: "",
            creator: "",
            me: true,
            access: "read",
            group: ""
        )
        #expect(bytes(patient.write) >= Limits.patientReplyBytesMin)
    }
}
