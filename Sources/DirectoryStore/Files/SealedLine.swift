internal import JSON
internal import Platform
import Store

/// A line of JSON that ends with the checksum of its other bytes: `…,"c":"1a2b3c4d"}` and a line feed.
struct SealedLine {
    let store: String
    let epoch: Int
    /// The whole object.
    let value: JSONValue

    /// Ends the current object of `writer` with its checksum.
    static func seal(_ writer: inout JSONWriter) -> [UInt8] {
        var bytes = writer.take()
        let check = bytes.withUnsafeBytes { CRC32C.value(of: $0) }
        bytes.append(contentsOf: #","c":""#.utf8)
        check.appendHex(to: &bytes)
        bytes.append(contentsOf: "\"}\n".utf8)
        return bytes
    }

    /// Parses the properties that all such lines have, and verifies the line.
    init(parsing bytes: [UInt8], file: String) throws(StoreError) {
        let value = Self.value(of: bytes)
        // A newer format may have another checksum, so the format is read first. But if the line is whole with the
        // number of a known format, only that number was changed.
        if let format = value?["format"]?.int, format > Manifest.format,
            !(1...Manifest.format).contains(where: { known in
                Self.isSealed(Self.start(known) + bytes.dropFirst(Self.start(format).count))
            })
        {
            throw .newerFormat(format)
        }
        guard Self.isSealed(bytes), let value, let store = value["store"]?.string, let epoch = value["epoch"]?.int
        else {
            throw .damaged(
                file: file,
                offset: 0,
                reason: "line 1 \(bytes.withUnsafeBytes { LineFault.describing($0) })"
            )
        }
        self.store = store
        self.epoch = epoch
        self.value = value
    }

    /// The start of a line of a format.
    private static func start(_ format: Int) -> [UInt8] { Array(#"{"format":\#(format)"#.utf8) }

    private static let sealBytes = 17

    /// Whether a line ends with its checksum.
    private static func isSealed(_ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBytes { bytes in
            let end = bytes.count - sealBytes
            guard end > 0 else { return false }
            var seal: [UInt8] = Array(#","c":""#.utf8)
            CRC32C.value(of: UnsafeRawBufferPointer(rebasing: bytes[..<end])).appendHex(to: &seal)
            seal.append(contentsOf: "\"}\n".utf8)
            return bytes[end...].elementsEqual(seal)
        }
    }

    private static func value(of bytes: [UInt8]) -> JSONValue? {
        do throws(JSONError) {
            return try JSONValue(parsing: bytes)
        } catch {
            return nil
        }
    }
}
