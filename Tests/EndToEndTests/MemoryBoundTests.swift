import Foundation
import JSON
import PosternTesting
import Testing

@testable import JSONRPC

/// The program's memory when requests of a few bytes ask for replies of megabytes. The peak memory of the process is
/// at most four times the limit for one reply. A batch of a thousand such requests once took three gigabytes.
struct MemoryBoundTests {
    private static let peakBytesMax = 4 * Limits.answerBytesMax
    private static let repetitions = Limits.batchMessagesMax

    private static func process() throws -> PosternProcess {
        try PosternProcess.deterministic()
    }

    private static func request(_ id: Int, _ method: String, _ params: JSONValue) -> String {
        let id = JSONValue.number(String(id))
        return (["jsonrpc": "2.0", "id": id, "method": .string(method), "params": params] as JSONValue).text
    }

    private static func batch(of count: Int, _ method: String, _ params: JSONValue = [:]) -> String {
        "[" + (1...count).map { request($0, method, params) }.joined(separator: ",") + "]\n"
    }

    /// Registers an operator and creates clients for it.
    ///
    /// - Returns: The params of a request that reads the clients.
    private static func addClients(
        _ count: Int = 2_000,
        at address: String = String(repeating: "12 Long Street, Theed. ", count: 14),
        to process: PosternProcess
    ) throws -> JSONValue {
        let person: JSONValue = ["first_name": "Padmé", "last_name": "Amidala", "email": "padme@naboo.example"]
        let account = try #require(
            try process.reply(to: "operators.register", ["user": person, "password": "password"])["result"]
        )
        let session: [(String, JSONValue)] = [
            ("user_id", try #require(account["id"])), ("session_id", try #require(account["session_id"])),
        ]
        func params(_ name: String, _ value: JSONValue) -> JSONValue {
            .object((session + [(name, value)]).map { JSONValue.Property($0.0, $0.1) })
        }
        let creates = (1...count).map { number in
            let user: JSONValue = [
                "first_name": "Client", "last_name": "Number", "email": .string("client\(number)@naboo.example"),
            ]
            let client: JSONValue = ["user": user, "address": .string(address)]
            return request(number, "operators.client.create", params("client", client)) + "\n"
        }
        process.writeBeside(Data(creates.joined().utf8))
        for _ in creates { try #require(process.nextLine()?.contains("\"result\"") == true) }
        return params("provision", 0)
    }

    /// Reads the reply to a batch, and checks that it is full and that the requests beyond the limit are refused.
    private func checkBatch(_ batch: String, to process: PosternProcess, refusals: String) throws {
        process.writeBeside(Data(batch.utf8))
        let reply = try #require(process.nextLine())
        #expect(reply.utf8.count > Limits.answerBytesMax && reply.utf8.count < Limits.answerBytesMax * 5 / 4)
        #expect(reply.hasPrefix(#"[{"jsonrpc":"2.0","id":1,"result":"#))
        #expect(reply.hasSuffix(#""data":{"errors":["answer_too_long"]}}}]"#))
        #expect(reply.contains(#""id":\#(Self.repetitions),"error":{"code":-32000,"message":"\#(refusals)"#))
        #expect(try process.peakMemoryBytes <= Self.peakBytesMax)
    }

    @Test func holdsForABatchOfListRequests() throws {
        let process = try Self.process()
        let params = try Self.addClients(to: process)
        let batch = Self.batch(of: Self.repetitions, "operators.clients.get", params)
        try checkBatch(batch, to: process, refusals: "Not carried out")
    }

    @Test func holdsForABatchOfDocuments() throws {
        try checkBatch(
            Self.batch(of: Self.repetitions, "rpc.discover"),
            to: try Self.process(),
            refusals: "Not carried out"
        )
    }

    /// A tool's result was once written whole, and copied into a string, before its length was checked.
    @Test func holdsForToolCalls() throws {
        let process = try Self.process()
        let clients = try Self.addClients(to: process)
        let hello: JSONValue = ["protocolVersion": "2025-03-26", "capabilities": [:], "clientInfo": [:]]
        #expect(try process.reply(to: "initialize", hello)["result"] != nil)
        let call: JSONValue = ["name": "operators_clients_get", "arguments": clients]
        try checkBatch(
            Self.batch(of: Self.repetitions, "tools/call", call),
            to: process,
            refusals: "Not carried out"
        )
        let stream = (1...Self.repetitions).map { Self.request($0, "tools/call", call) + "\n" }
        process.writeBeside(Data(stream.joined().utf8))
        for id in 1...10 {
            let reply = try #require(process.nextLine())
            #expect(reply.hasPrefix(#"{"jsonrpc":"2.0","id":\#(id),"result":"#) && reply.utf8.count > 1 << 20)
        }
        #expect(try process.peakMemoryBytes <= Self.peakBytesMax)
    }

    /// A tool's result contains its value twice, so it may be too long although the plain reply is not.
    @Test func returnsAToolErrorWhenTheResultIsTooLong() throws {
        let process = try Self.process()
        let clients = try Self.addClients(5_000, at: String(repeating: "é", count: 1_000), to: process)
        let hello: JSONValue = ["protocolVersion": "2025-03-26", "capabilities": [:], "clientInfo": [:]]
        #expect(try process.reply(to: "initialize", hello)["result"] != nil)
        process.send(Self.request(7, "operators.clients.get", clients))
        #expect(try #require(process.nextLine()).utf8.count > Limits.answerBytesMax / 2)
        let call: JSONValue = ["name": "operators_clients_get", "arguments": clients]
        let result = try #require(try process.reply(to: "tools/call", call)["result"])
        #expect(result["isError"] == true && result.text.contains("ask for less at a time"))
        #expect(try process.reply(to: "system.info")["result"] != nil)
    }

    private static let streams: [(name: String, requests: Int, text: String)] = [
        ("one by one", 1, request(1, "rpc.discover", [:]) + "\n"),
        // Just below the limit, so that the program goes on reading after the first batch.
        ("batches", 1, batch(of: 900, "rpc.discover")),
    ]

    /// The program once went on reading, and held up to 64 MiB of replies in addition to the last batch's reply.
    @Test(arguments: streams.indices)
    func holdsWhenRepliesAreNotRead(_ row: Int) throws {
        let text = Self.streams[row].text
        let process = try Self.process()
        // A longer answer to a batch is cut off.
        let replyBytes = min(Self.documentBytes(of: process) * text.count(of: "rpc.discover"), Limits.answerBytesMax)
        // Replies of six times the limit in total.
        let count = 6 * Limits.answerBytesMax / replyBytes
        process.writeBeside(Data(String(repeating: text, count: count).utf8))
        try process.waitUntilIdle()
        #expect(try process.peakMemoryBytes <= Self.peakBytesMax)
        // The program goes on once its replies are read, and loses none.
        for _ in 1...count { try #require(process.nextLine()?.isEmpty == false) }
        #expect(try process.reply(to: "system.info")["result"] != nil)
        #expect(try process.peakMemoryBytes <= Self.peakBytesMax)
    }

    private static func documentBytes(of process: PosternProcess) -> Int {
        process.send(request(1, "rpc.discover", [:]))
        return process.nextLine()?.utf8.count ?? 1
    }

    @Test(arguments: [("X:", 8 << 20), ("X: y\r\n", 4 << 20), ("Content-Length: 9\n", 1 << 20)])
    func holdsForAFloodOfHeaders(_ piece: String, _ bytes: Int) throws {
        let process = try PosternProcess(["--data", ":memory:", "--framing", "header"])
        let flood = Data(String(repeating: piece, count: bytes / piece.utf8.count).utf8)
        let request = Self.request(7, "system.info", [:])
        let time = try ContinuousClock().measure {
            process.writeBeside(flood + Data("\nContent-Length: \(request.utf8.count)\r\n\r\n\(request)".utf8))
            while case let reply = try process.nextFramedReply(), reply["id"] != 7 {
                try #require(reply["error"] != nil)
            }
        }
        #expect(time < .seconds(30))
        #expect(try process.peakMemoryBytes <= Self.peakBytesMax)
    }
}

extension String {
    fileprivate func count(of text: String) -> Int { ranges(of: text).count }
}
