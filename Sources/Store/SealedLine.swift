internal import JSON

/// A line of JSON that ends in the check of its other bytes: `…,"c":"1a2b3c4d"}` and a line feed.
struct SealedLine {
    let store: String
    let epoch: Int

    /// Ends the object that `writer` is in with its check.
    static func seal(_ writer: inout JSONWriter) -> [UInt8] {
        var bytes = writer.take()
        let check = bytes.withUnsafeBytes { CRC32C.value(of: $0) }
        bytes.append(contentsOf: #","c":""#.utf8)
        check.appendHex(to: &bytes)
        bytes.append(contentsOf: "\"}\n".utf8)
        return bytes
    }

    /// Reads the members that all such lines have, and checks the line.
    init(parsing bytes: [UInt8], file: String) throws(StoreError) {
        let fields = Self.fields(of: bytes)
        // A newer format may have another check, so it is asked for first.
        if let format = fields.format, format > Manifest.format { throw .newerFormat(format) }
        let sealed = bytes.withUnsafeBytes { bytes in
            let end = bytes.count - Self.sealBytes
            guard end > 0 else { return false }
            var seal: [UInt8] = Array(#","c":""#.utf8)
            CRC32C.value(of: UnsafeRawBufferPointer(rebasing: bytes[..<end])).appendHex(to: &seal)
            seal.append(contentsOf: "\"}\n".utf8)
            return bytes[end...].elementsEqual(seal)
        }
        guard sealed, let store = fields.store, let epoch = fields.epoch else {
            throw .damaged(
                file: file,
                offset: 0,
                reason: "line 1 \(bytes.withUnsafeBytes { LineFault.describing($0) })"
            )
        }
        self.store = store
        self.epoch = epoch
    }

    private static let sealBytes = 17

    private static func fields(of bytes: [UInt8]) -> (format: Int?, store: String?, epoch: Int?) {
        do {
            let value = try JSONValue(parsing: bytes)
            return (value["format"]?.int, value["store"]?.string, value["epoch"]?.int)
        } catch {
            return (nil, nil, nil)
        }
    }
}
