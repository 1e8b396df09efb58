import JSON
import JSONRPC

/// The notification `notifications/cancelled`: the peer no longer needs the reply to a request.
struct MCPCancellation {
    /// The request's id, byte for byte.
    let id: UnsafeRawBufferPointer

    /// Reads a notification; nil if it is another notification or contains no `requestId`.
    init?(_ notification: Request) {
        guard notification.method.equals("notifications/cancelled"), let params = notification.params else {
            return nil
        }
        do throws(JSONError) {
            guard let id = try Self.requestID(in: params) else { return nil }
            self.id = id
        } catch {
            return nil
        }
    }

    private static func requestID(in params: UnsafeRawBufferPointer) throws(JSONError) -> UnsafeRawBufferPointer? {
        var reader = JSONReader(params)
        var id: UnsafeRawBufferPointer?
        try reader.beginObject()
        while let property = try reader.nextProperty() {
            if property.equals("requestId") { id = try reader.raw() } else { try reader.skip() }
        }
        return id
    }
}
