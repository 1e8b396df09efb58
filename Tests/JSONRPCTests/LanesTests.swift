@testable import JSON
import Testing

@testable import JSONRPC

/// The waiting requests, and the limits on them.
struct LanesTests {
    /// A chunk of `bytes` bytes with an id at its start.
    private func chunk(bytes: Int) -> Chunk {
        let text = [UInt8]("\"id\"".utf8) + [UInt8](repeating: 0x20, count: bytes - 4)
        return text.withUnsafeBytes { Chunk(copying: $0) }
    }

    private func address(in chunk: Chunk) -> ReplyAddress {
        ReplyAddress(id: UnsafeRawBufferPointer(rebasing: chunk.bytes[..<4]), place: nil, chunk: chunk)
    }

    private func request(in chunk: Chunk) -> PendingMessage {
        let address = address(in: chunk)
        let method = JSONText(bytes: UnsafeRawBufferPointer(start: nil, count: 0), hasEscapes: false)
        let request = Request(method: method, params: nil, id: address.id)
        return PendingMessage(UnitOfWork(request, to: address), in: .only)
    }

    @Test func countsTheBytesOfASharedChunkOnce() {
        var lanes = Lanes()
        for _ in 0..<(Limits.waitingBytesMax >> 20) {
            #expect(!lanes.isFull)
            let chunk = chunk(bytes: 1 << 20)
            for _ in 0..<100 { lanes.append(request(in: chunk)) }
        }
        #expect(lanes.isFull)
        for _ in 0..<99 { lanes.removeFirst(of: .only) }
        #expect(lanes.isFull, "the last request of a chunk keeps the whole chunk")
        lanes.removeFirst(of: .only)
        #expect(!lanes.isFull)
    }

    /// Every refused request once kept the whole chunk that it was read in.
    @Test func keepsOnlyTheIDOfARefusedRequest() throws {
        var lanes = Lanes()
        weak var kept: Chunk?
        do {
            let chunk = chunk(bytes: 1 << 20)
            kept = chunk
            lanes.append(PendingMessage(UnitOfWork(.overloaded, to: address(in: chunk)), in: .only))
        }
        #expect(kept == nil)
        let id = try #require(lanes.first(of: .only)?.unit.address.id)
        #expect(id.elementsEqual("\"id\"".utf8))
    }

    /// The limit once counted only params and ids: 6,000 short requests kept 1.5 GiB,
    /// because each had 256 KiB besides its params.
    @Test func refusesRequestsWithTooManyBytesOutsideTheirParams() {
        let padding = String(repeating: "x", count: 1 << 20)
        let slow = #"{"jsonrpc":"2.0","id":0,"method":"slow","params":{"value":4}}"#
        var padded = (1...70).map { #"{"jsonrpc":"2.0","id":\#($0),"method":"sum","params":[1],"x":"\#(padding)"}"# }
        // A refused notification gets no reply.
        padded.append(#"{"jsonrpc":"2.0","method":"sum","params":[1]}"#)
        // Uses header framing, because a test would search for line ends byte by byte.
        let pieces = ([slow] + padded).map { Array("Content-Length: \($0.utf8.count)\r\n\r\n\($0)".utf8) }
        let replies = Exchange(framing: .header).text(for: pieces).split(separator: "Content-Length")
        #expect(replies.count == 71)
        #expect(replies.filter { $0.hasSuffix(#""result":1}"#) }.count == Limits.waitingBytesMax >> 20)
        #expect(replies.last?.contains("-32000") == true)
    }

    @Test func stopsReadingWhenTheIDsOfRefusalsTakeTooMuchMemory() {
        var connection = Connection(
            handler: ArithmeticHandler(),
            pool: WorkPool {},
            order: .inOrder,
            framing: .header
        )
        func receive(_ message: String) {
            Array("Content-Length: \(message.utf8.count)\r\n\r\n\(message)".utf8).withUnsafeBytes {
                connection.receive($0)
            }
        }
        receive(#"{"jsonrpc":"2.0","id":0,"method":"slow","params":{"value":4}}"#)
        for _ in 0..<(Limits.waitingRefusalBytesMax >> 20) {
            #expect(connection.isSaturated == false)
            receive(#"{"id":"\#(String(repeating: "x", count: 1 << 20))"}"#)
        }
        #expect(connection.isSaturated == true)
        while !connection.isIdle {
            connection.executeReadMessages()
            connection.resume()
            _ = connection.takeOutput()
        }
        #expect(connection.isSaturated == false)
    }
}
