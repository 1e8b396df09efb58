import Foundation
import JSON
@testable import PosternClient
import PosternTesting
import Testing

/// How a client and its process end.
struct EndTests {
    @Test func allCallsFailWhenTheProcessIsKilled() async throws {
        let postern = try Postern(arguments: ["--log-level", "info"])
        let luke = try await postern.registerLuke()
        // The process is stopped, so that it cannot reply to any of these before it is killed.
        kill(postern.processIdentifier, SIGSTOP)
        let calls = (0..<20).map { _ in
            Task { try await postern.operators.signin(email: luke.user.email, password: "a long password") }
        }
        kill(postern.processIdentifier, SIGKILL)
        for call in calls {
            let end = try #require(await failure { try await call.value }?.end)
            #expect(end.cause == .signal(SIGKILL))
            #expect(
                end.description.hasPrefix(
                    "Signal 9 has ended Postern; if the call was in flight, the outcome is unknown."
                )
            )
        }
        let start = ContinuousClock.now
        await #expect(throws: PosternError.self) { try await postern.system.info() }
        #expect(ContinuousClock.now - start < .seconds(1))
        #expect(!isAlive(postern.processIdentifier))
        await postern.close()
        await #expect(throws: PosternError.clientClosed) { try await postern.system.info() }
    }

    @Test func aCallThatTheProcessHasReadFailsWhenItIsKilled() async throws {
        let lines = Lines()
        let postern = try Postern(binary: Binaries.fake("late"), waitsUntilReady: false, onLog: lines.add)
        let call = Task { try await postern.call("a") }
        #expect(await lines.next() == "got")
        kill(postern.processIdentifier, SIGKILL)
        let error = PosternError.processEnded(ProcessEnded(cause: .signal(SIGKILL), lastLogLines: ["got"]))
        await #expect(throws: error) { try await call.value }
        await #expect(throws: error) { try await postern.call("b") }
    }

    @Test func theErrorHasTheExitCodeAndTheLastLines() async throws {
        let lines = Lines()
        let postern = try Postern(binary: Binaries.fake("last-words"), waitsUntilReady: false, onLog: lines.add)
        let last = (11...30).map { "line \($0)" }
        let end = ProcessEnded.Cause.exit(code: 3)
        for _ in 0..<2 {
            let ended = try #require(await failure { try await postern.call("a") }?.end)
            #expect(ended.cause == end && ended.lastLogLines == last)
            #expect(ended.description.contains("exit code 3") && ended.description.hasSuffix("line 29\nline 30"))
        }
        #expect(try await becomesTrue(within: 20) { lines.all == (1...30).map { "line \($0)" } })
    }

    @Test func closeWaitsForCallsInFlight() async throws {
        let postern = try Postern()
        let luke = try await postern.registerLuke()
        let calls = (0..<8).map { _ in
            Task { try await postern.operators.signin(email: luke.user.email, password: "a long password") }
        }
        // When the reply to this arrives, the process has read all requests that were sent before it.
        try await Task.sleep(for: .milliseconds(5))
        _ = try await postern.system.info()
        async let first: Void = postern.close()
        async let second: Void = postern.close()
        _ = await (first, second)
        #expect(!isAlive(postern.processIdentifier))
        for call in calls {
            // A call that starts after the close is refused.
            let error = await failure {
                let operatorID = try await call.value.id
                #expect(operatorID == 1)
            }
            #expect(error == nil || error == .clientClosed)
        }
        await #expect(throws: PosternError.clientClosed) { try await postern.system.info() }
        await postern.close()
    }

    @Test func closeKillsAProcessThatDoesNotEnd() async throws {
        let lines = Lines()
        let postern = try Postern(binary: Binaries.fake("deaf"), waitsUntilReady: false, onLog: lines.add)
        #expect(await lines.next() == "deaf")
        let call = Task { try await postern.call("a") }
        let start = ContinuousClock.now
        await postern.close(within: .milliseconds(100))
        // SIGKILL comes 5 seconds after SIGTERM; how much later depends on the machine.
        #expect(ContinuousClock.now - start >= .seconds(5))
        let error = await failure { try await call.value }
        #expect(error == .clientClosed || error?.end?.cause == .signal(SIGKILL))
    }

    @Test func outputThatIsNotJSONEndsTheClient() async throws {
        let postern = try Postern(binary: Binaries.fake("garbage"), waitsUntilReady: false)
        let error = PosternError.protocolViolation("What came from Postern is no JSON object: Segmentation fault")
        for _ in 0..<2 { await #expect(throws: error) { try await postern.call("a") } }
        #expect(try await becomesTrue(within: 60) { !isAlive(postern.processIdentifier) })
        await postern.close()
    }

    @Test func aClosedOutputEndsTheClient() async throws {
        let postern = try Postern(binary: Binaries.fake("mute"), waitsUntilReady: false)
        let error = PosternError.protocolViolation("Postern has closed its output and goes on.")
        await #expect(throws: error) { try await postern.call("a") }
        #expect(try await becomesTrue(within: 60) { !isAlive(postern.processIdentifier) })
    }

    @Test func withPosternClosesAtTheEndOfItsScope() async throws {
        var process: Int32 = 0
        let name = try await withPostern(data: ":memory:", binary: Binaries.postern) { postern in
            process = postern.processIdentifier
            return try await postern.system.info().name
        }
        #expect(name == "postern" && process > 0 && !isAlive(process))

        await #expect(throws: CancellationError.self) {
            try await withPostern(data: ":memory:", binary: Binaries.postern) { postern in
                process = postern.processIdentifier
                throw CancellationError()
            }
        }
        #expect(!isAlive(process))
    }

    @Test func theProcessEndsWhenTheClientIsDeallocated() async throws {
        var postern: Postern? = try Postern()
        let process = try #require(postern?.processIdentifier)
        _ = try await postern?.system.info()
        postern = nil
        #expect(try await becomesTrue(within: 60) { !isAlive(process) })
    }

    /// A child of the process still holds its input open.
    @Test func anUnwrittenRequestIsDroppedWhenTheProcessEnds() async throws {
        let lines = Lines()
        let command = Command(path: Binaries.fake("heir"), arguments: [], environment: [:])
        var connection: Connection? = try Connection(command, onLog: lines.add)
        weak let ended = connection
        let heir = try #require(await lines.next().flatMap { Int32($0) })
        defer { kill(heir, SIGKILL) }
        let call = Task { [connection] in
            try await connection?.result(of: "a") { writer in
                writer.property("params")
                writer.string(String(repeating: "x", count: 1 << 20))
            }
        }
        #expect(try await becomesTrue(within: 60) { unreadBytes(of: heir) > 0 })
        connection.map { _ = kill($0.processIdentifier, SIGKILL) }
        let end = await failure { try await call.value }?.end
        #expect(end?.cause == .signal(SIGKILL))
        connection = nil
        #expect(try await becomesTrue(within: 60) { ended == nil })
    }

    /// How many unread bytes the input of a process has.
    private func unreadBytes(of process: Int32) -> Int32 {
        let descriptor = open("/proc/\(process)/fd/0", O_RDONLY | O_NONBLOCK)
        defer { close(descriptor) }
        var count: Int32 = 0
        _ = ioctl(descriptor, UInt(FIONREAD), &count)
        return count
    }
}
