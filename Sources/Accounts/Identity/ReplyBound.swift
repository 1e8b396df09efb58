/// Measures a reply's records while they are read, so that reading stops soon after the reply is too long.
///
/// Each record counts with its minimum size: a string in JSON is never shorter than its UTF-8.
struct ReplyBound {
    /// The maximum length of the reply in bytes.
    private let bytesMax: Int
    /// The minimum length of the reply so far, in bytes.
    private var bytes = 0

    init(bytesMax: Int) {
        self.bytesMax = bytesMax
    }

    /// Counts clients.
    mutating func add(_ clients: [Client]) throws(ReplyTooLong) {
        for client in clients {
            let person = client.person
            bytes += Limits.clientReplyBytesMin + client.address.utf8.count
            bytes += person.firstName.utf8.count + person.lastName.utf8.count + person.email.utf8.count
        }
        if bytes > bytesMax { throw ReplyTooLong() }
    }

    /// Counts a share.
    mutating func add(_ share: CareShare) throws(ReplyTooLong) {
        bytes += Limits.shareReplyBytesMin + share.email.utf8.count
        if bytes > bytesMax { throw ReplyTooLong() }
    }

    /// Counts a patient.
    mutating func add(_ seen: SeenPatient) throws(ReplyTooLong) {
        let patient = seen.patient
        bytes += Limits.patientReplyBytesMin + patient.firstName.utf8.count + patient.lastName.utf8.count
        bytes += patient.phone.utf8.count + seen.creator.utf8.count
        if bytes > bytesMax { throw ReplyTooLong() }
    }
}
