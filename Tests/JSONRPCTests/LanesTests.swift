@testable import JSON
import Testing

@testable import JSONRPC

/// What waits, and how much of it may.
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

    @Test func measuresWhatWasReadOnceForAllThatStandsInIt() {
        var lanes = Lanes()
        for _ in 0..<(Limits.waitingBytesMax >> 20) {
            #expect(!lanes.isFull)
            let chunk = chunk(bytes: 1 << 20)
            for _ in 0..<100 { lanes.append(request(in: chunk)) }
        }
        #expect(lanes.isFull)
        for _ in 0..<99 { lanes.removeFirst(of: .only) }
        #expect(lanes.isFull, "the last of a chunk keeps all of it")
        lanes.removeFirst(of: .only)
        #expect(!lanes.isFull)
    }

    /// Every refusal once kept all that was read along with it.
    @Test func keepsNothingOfWhatIsRefusedButTheID() throws {
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

    /// The bound once counted params and ids alone: 6,000 short requests kept 1.5 GiB, for 256 KiB beside the params of each.
    @Test func refusesRequestsThatKeepTooMuchBesideTheirParams() {
        let padding = String(repeating: "x", count: 1 << 20)
        let slow = #"{"jsonrpc":"2.0","id":0,"method":"slow","params":{"value":4}}"#
        var padded = (1...70).map { #"{"jsonrpc":"2.0","id":\#($0),"method":"sum","params":[1],"x":"\#(padding)"}"# }
        // A notification is answered with nothing, though there is no room for it.
        padded.append(#"{"jsonrpc":"2.0","method":"sum","params":[1]}"#)
        // Behind headers, as a test looks for the ends of lines a byte at a time.
        let pieces = ([slow] + padded).map { Array("Content-Length: \($0.utf8.count)\r\n\r\n\($0)".utf8) }
        let answers = Exchange(framing: .header).text(for: pieces).split(separator: "Content-Length")
        #expect(answers.count == 71)
        #expect(answers.filter { $0.hasSuffix(#""result":1}"#) }.count == Limits.waitingBytesMax >> 20)
        #expect(answers.last?.contains("-32000") == true)
    }

    @Test func stopsReadingWhenTheIDsOfRefusalsTakeTooMuch() {
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
            connection.takeBacklog()
            connection.resume()
            _ = connection.takeOutput()
        }
        #expect(connection.isSaturated == false)
    }
}
