import Foundation
import JSON
import PosternTesting
import Testing

/// What was acknowledged is there after a kill.
struct KillTests {
    @Test func losesNothingAcknowledgedToAKill() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("postern-kill-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let arguments = ["--data", folder.path]
        let first = try PosternProcess(arguments)
        first.send(
            #"{"jsonrpc":"2.0","id":0,"method":"operators.register","params":{"user":{"first_name":"A","last_name":"B","#
                + #""email":"a@b.co"},"password":"p"}}"#
        )
        let session = try #require(try JSONValue(parsing: first.nextLine() ?? "")["result"]?["session_id"]?.string)
        #expect(first.finish() == "")

        var acknowledged: Set<String> = []
        for round in 0..<10 {
            let postern = try PosternProcess(arguments)
            for number in 0..<200 {
                let email = "c\(round)-\(number)@b.co"
                postern.send(
                    #"{"jsonrpc":"2.0","id":"\#(email)","method":"operators.client.create","params":{"user_id":1,"#
                        + #""session_id":"\#(session)","client":{"user":{"first_name":"C","last_name":"D","#
                        + #""email":"\#(email)"},"address":"x"}}}"#
                )
            }
            for _ in 0..<(round * 17 + 1) {
                let reply = try JSONValue(parsing: postern.nextLine() ?? "null")
                if reply["result"] != nil, let email = reply["id"]?.string { acknowledged.insert(email) }
            }
            postern.kill()
        }
        let last = try PosternProcess(arguments)
        last.send(
            #"{"jsonrpc":"2.0","id":1,"method":"operators.clients.get","params":{"user_id":1,"session_id":"\#(session)","#
                + #""provision":0}}"#
        )
        let clients = try JSONValue(parsing: last.nextLine() ?? "null")["result"]?["clients"]?.array ?? []
        let found = Set(clients.compactMap { $0["user"]?["email"]?.string })
        #expect(acknowledged.count > 700)
        #expect(acknowledged.subtracting(found) == [])
        #expect(last.finish() == "")
    }
}
