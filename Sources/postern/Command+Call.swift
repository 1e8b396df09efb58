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
        if let error = reply["error"] { throw .refused(error) }
        let result = reply["result"] ?? .null
        guard let path = options.resultPath else {
            print(result.prettyText)
            return
        }
        let value = try Self.property(path, of: result)
        print(value.string ?? value.prettyText)
    }

    /// The property of a result with a path, such as `user.email` or `clients.0.id`.
    private static func property(_ path: String, of result: JSONValue) throws(CommandError) -> JSONValue {
        var (value, place) = (result, "the result")
        for name in path.split(separator: ".", omittingEmptySubsequences: false) {
            let names = value.object?.map(\.name) ?? value.array?.indices.map { "\($0)" } ?? []
            guard let index = names.firstIndex(of: String(name)) else {
                let others = names.isEmpty ? "no properties" : "only \(names.joined(separator: ", "))"
                throw .failed("the method was called, but \(place) has no \(name): it has \(others)")
            }
            value = value.object?[index].value ?? value.array?[index] ?? .null
            place = String(name)
        }
        return value
    }
}
