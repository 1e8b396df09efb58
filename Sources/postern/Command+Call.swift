import JSON
import JSONRPC

extension Command {
    /// Calls one method and prints its result. The request's way from `Connection` on is that of `Command.serve`, but
    /// it waits in place for the lock and for hashing.
    func callMethod(_ options: Options) throws(CommandError) {
        let params = try CallParams(options.words.dropFirst(), of: options.words[0]).value
        let wiring = try Wiring(options)
        let request: JSONValue = [
            "jsonrpc": "2.0", "id": 1, "method": .string(options.words[0]), "params": params,
        ]
        let reply = Server.execute(request, by: wiring.service)
        wiring.finish()
        if let error = reply["error"] { throw .failed(error.prettyText) }
        print((reply["result"] ?? .null).prettyText)
    }
}
