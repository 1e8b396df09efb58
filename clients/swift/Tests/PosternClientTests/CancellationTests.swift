import PosternClient
import Testing

/// Tasks that are cancelled while they wait for a reply.
struct CancellationTests {
    @Test func aCancelledCallEndsAtOnceAndItsReplyIsDropped() async throws {
        let lines = Lines()
        let postern = try Postern(binary: Binaries.fake("late"), waitsUntilReady: false, onLog: lines.add)
        let first = Task { try await postern.call("first") }
        #expect(await lines.next() == "got")
        first.cancel()
        await #expect(throws: PosternError.cancelled) { try await first.value }
        #expect(try await postern.call("second") == #""second""#)
        await postern.close()
    }

    @Test func aCallOfACancelledTaskIsNotSent() async throws {
        let postern = try Postern()
        let luke = try await postern.registerLuke()
        let call = Task {
            while !Task.isCancelled { await Task.yield() }
            try await postern.operators.signout(userID: luke.id, sessionID: luke.sessionID)
        }
        call.cancel()
        await #expect(throws: PosternError.cancelled) { try await call.value }
        // The session still works.
        _ = try await postern.operators.clients.get(userID: luke.id, sessionID: luke.sessionID, provision: 0)
        await postern.close()
    }

    @Test func cancelledCallsDoNotAffectOtherCalls() async throws {
        let postern = try Postern()
        try await withThrowingTaskGroup { group in
            for number in 0..<2_000 {
                let call = Task { try await postern.system.info() }
                if number % 2 == 0 { call.cancel() }
                group.addTask {
                    let error = await failure {
                        let name = try await call.value.name
                        #expect(name == "postern")
                    }
                    #expect(error == nil || error == .cancelled && number % 2 == 0)
                }
            }
            try await group.waitForAll()
        }
        #expect(try await postern.system.info().name == "postern")
        await postern.close()
    }
}
