/// Random UUIDs (RFC 9562 §5.4, version 4), in lower case: `5f0c2d3e-4b5a-4978-8796-a5b4c3d2e1f0`.
package enum UUIDText {
    /// Makes a UUID of 16 random bytes. The version and the variant replace six of the bits.
    package static func version4(_ random: [UInt8]) -> String {
        precondition(random.count == 16)
        var bytes = random
        bytes[6] = bytes[6] & 0x0F | 0x40
        bytes[8] = bytes[8] & 0x3F | 0x80
        let groups = [bytes[0..<4], bytes[4..<6], bytes[6..<8], bytes[8..<10], bytes[10..<16]]
        return groups.map(\.hexText).joined(separator: "-")
    }

    /// A new UUID from the system's random generator.
    package static func random() -> String {
        version4((0..<16).map { _ in UInt8.random(in: .min ... .max) })
    }
}
