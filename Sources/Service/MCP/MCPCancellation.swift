import JSON
import JSONRPC

/// The notification `notifications/cancelled`: the peer has no use any more for the answer to a request.
struct MCPCancellation {
    /// The request's id as it was written.
    let id: UnsafeRawBufferPointer

    /// Reads a notification; nil where it is another one, or names no request.
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
        while let member = try reader.nextMember() {
            if member.equals("requestId") { id = try reader.raw() } else { try reader.skip() }
        }
        return id
    }
}
