import Store

/// A reference as the value of a sorted entry. Its parts are separated by NUL: the property; `1` if a substitute is
/// sufficient, else `0`; and, if the other record's number matters, the property of that number and its minimum.
struct PackedReference {
    private let property: String
    private let acceptsSubstitute: Bool
    private let least: (property: String, number: Int)?

    static func bytes(of reference: RecordFindings.Reference) -> [UInt8] {
        let parts =
            [reference.property, reference.acceptsSubstitute ? "1" : "0"]
            + (reference.least.map { [$0.property, String($0.number)] } ?? [])
        return Array(parts.joined(separator: "\0").utf8)
    }

    init(_ bytes: UnsafeRawBufferPointer) {
        let parts = bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
        property = parts.first ?? ""
        acceptsSubstitute = parts.count > 1 && parts[1] == "1"
        least = parts.count == 4 ? (parts[2], Int(parts[3]) ?? 0) : nil
    }

    func missing(_ key: String) -> String { RecordFindings.Reference.missing(property, key) }

    func fault(in record: inout LastEntry) -> String? {
        if record.kind == .substitute {
            return acceptsSubstitute ? nil : missing(String(decoding: record.key, as: UTF8.self))
        }
        guard let least else { return nil }
        let key = String(decoding: record.key, as: UTF8.self)
        return RecordFindings.Reference.fault(property, key, least, in: record.number(least.property))
    }
}
