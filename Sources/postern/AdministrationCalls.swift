import JSON
import JSONRPC

/// Calls of the methods of administration, for commands.
struct AdministrationCalls {
    private let wiring: Wiring

    init(_ options: Options) throws(CommandError) {
        var options = options
        options.isAdministered = true
        // A misspelt property would be ignored otherwise.
        options.refusesUnknownParams = true
        wiring = try Wiring(options)
    }

    /// Calls a method and returns its result.
    func call(_ method: String, _ params: JSONValue) throws(CommandError) -> JSONValue {
        let request: JSONValue = ["jsonrpc": "2.0", "id": 1, "method": .string(method), "params": params]
        let reply = Server.execute(request, by: wiring.service)
        if let error = reply["error"] { throw .failed(error["message"]?.string ?? error.text) }
        return reply["result"] ?? .null
    }

    /// Sends the mails that are due, and closes the store.
    func finish() { wiring.finish() }
}
