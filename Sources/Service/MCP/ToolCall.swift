import JSON
import JSONRPC

/// A call of a tool: a method of the contract and its params. The tool's name has no dots, because hosts refuse them.
struct ToolCall {
    let method: Method
    /// The tool's arguments, byte for byte.
    let params: UnsafeRawBufferPointer?
    let era: MCPEra

    /// Reads the params of `tools/call`; nil if no such tool is offered.
    init?(_ params: MCPParams, era: MCPEra, offer: ToolOffer) {
        guard let name = params.name,
            let method = Method.allCases.first(where: { $0.toolName.map(name.equals) ?? false }),
            offer.includes(method)
        else { return nil }
        self.method = method
        self.params = params.arguments
        self.era = era
    }

    /// Writes a method's result as the properties of a tool's result: as JSON text and as structured content. A method
    /// without a result gives a sentence, because `null` alone reads like a failure.
    static func write(result: UnsafeRawBufferPointer, to writer: inout JSONWriter) {
        if result.first == UInt8(ascii: "{") {
            writeContent(result, to: &writer)
            writer.property("structuredContent")
            writer.raw(result)
        } else {
            writeContent(noValue, to: &writer)
        }
        writer.property("isError")
        writer.bool(false)
    }

    /// Writes an error as the properties of a tool's result, so that a model can read it and correct the call.
    static func write(error: RPCError, to writer: inout JSONWriter) {
        var text = JSONWriter()
        error.write(to: &text)
        text.withUnsafeBytes { writeContent($0, to: &writer) }
        writer.property("isError")
        writer.bool(true)
    }

    private static var noValue: UnsafeRawBufferPointer {
        let text: StaticString = "Accepted. This tool returns no value."
        return UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
    }

    private static func writeContent(_ text: UnsafeRawBufferPointer, to writer: inout JSONWriter) {
        writer.property("content")
        writer.beginArray()
        writer.beginObject()
        writer.property("type")
        writer.string("text")
        writer.property("text")
        writer.string(text)
        writer.endObject()
        writer.endArray()
    }
}
