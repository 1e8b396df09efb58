import JSON
import JSONRPC

/// A call of a tool: a method of the contract under a name that hosts let pass, with its params.
struct ToolCall {
    let method: Method
    /// What it is called with, as it was written.
    let params: UnsafeRawBufferPointer?
    let era: MCPEra

    /// Reads what `tools/call` is given; nil where there is no such tool.
    init?(_ params: MCPParams, era: MCPEra, isRehearsal: Bool) {
        guard let name = params.name,
            let method = Method.allCases.first(where: { $0.toolName.map(name.equals) ?? false }),
            isRehearsal || !method.isRehearsalOnly
        else { return nil }
        self.method = method
        self.params = params.arguments
        self.era = era
    }

    /// Writes what a method gave as the members of a tool's result: as JSON text, and where it is an object as that.
    static func write(result: UnsafeRawBufferPointer, to writer: inout JSONWriter) {
        writeContent(result, to: &writer)
        if result.first == UInt8(ascii: "{") {
            writer.member("structuredContent")
            writer.raw(result)
        }
        writer.member("isError")
        writer.bool(false)
    }

    /// Writes an error as the members of a tool's result, so that a model can read it and do better.
    static func write(error: RPCError, to writer: inout JSONWriter) {
        var text = JSONWriter()
        error.write(to: &text)
        text.withUnsafeBytes { writeContent($0, to: &writer) }
        writer.member("isError")
        writer.bool(true)
    }

    private static func writeContent(_ json: UnsafeRawBufferPointer, to writer: inout JSONWriter) {
        writer.member("content")
        writer.beginArray()
        writer.beginObject()
        writer.member("type")
        writer.string("text")
        writer.member("text")
        writer.string(String(decoding: json, as: UTF8.self))
        writer.endObject()
        writer.endArray()
    }
}
