import Foundation
import PosternClient
import PosternTesting
import Testing

/// How a client and its process come to their end.
struct EndTests {
    @Test func failsWhatIsInFlightWhenTheProcessIsKilled() async throws {
        let postern = try Postern(arguments: ["--log-level", "info"])
        let luke = try await postern.registerLuke()
        // The process stands still, so that none of these can be answered before it is killed.
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
                    "Signal 9 has ended Postern; whether the calls in flight took effect is not known."
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

    @Test func failsACallThatTheProcessHasRead() async throws {
        let lines = Lines()
        let postern = try Postern(binary: Binaries.fake("late"), onLog: lines.add)
        let call = Task { try await postern.call("a") }
        #expect(await lines.next() == "got")
        kill(postern.processIdentifier, SIGKILL)
        let error = PosternError.processEnded(ProcessEnded(cause: .signal(SIGKILL), lastLogLines: ["got"]))
        await #expect(throws: error) { try await call.value }
        await #expect(throws: error) { try await postern.call("b") }
    }

    @Test func tellsTheExitCodeAndTheLastLines() async throws {
        let lines = Lines()
        let postern = try Postern(binary: Binaries.fake("last-words"), onLog: lines.add)
        let last = (11...30).map { "line \($0)" }
        let end = ProcessEnded.Cause.exit(code: 3)
        for _ in 0..<2 {
            let ended = try #require(await failure { try await postern.call("a") }?.end)
            #expect(ended.cause == end && ended.lastLogLines == last)
            #expect(ended.description.contains("exit code 3") && ended.description.hasSuffix("line 29\nline 30"))
        }
        #expect(lines.all == (1...30).map { "line \($0)" })
    }

    @Test func answersWhatIsInFlightBeforeItCloses() async throws {
        let postern = try Postern()
        let luke = try await postern.registerLuke()
        let calls = (0..<8).map { _ in
            Task { try await postern.operators.signin(email: luke.user.email, password: "a long password") }
        }
        // Once this is answered, what was sent before it has been read.
        try await Task.sleep(for: .milliseconds(5))
        _ = try await postern.system.info()
        async let first: Void = postern.close()
        async let second: Void = postern.close()
        _ = await (first, second)
        #expect(!isAlive(postern.processIdentifier))
        for call in calls {
            // One that has not begun before is refused.
            let error = await failure {
                let operatorID = try await call.value.id
                #expect(operatorID == 1)
            }
            #expect(error == nil || error == .clientClosed)
        }
        await #expect(throws: PosternError.clientClosed) { try await postern.system.info() }
        await postern.close()
    }

    @Test func endsAProcessThatDoesNotEndByItself() async throws {
        let lines = Lines()
        let postern = try Postern(binary: Binaries.fake("deaf"), onLog: lines.add)
        #expect(await lines.next() == "deaf")
        let call = Task { try await postern.call("a") }
        let start = ContinuousClock.now
        await postern.close(within: .milliseconds(100))
        #expect((Duration.seconds(5)...Duration.seconds(8)).contains(ContinuousClock.now - start))
        let error = await failure { try await call.value }
        #expect(error == .clientClosed || error?.end?.cause == .signal(SIGKILL))
    }

    @Test func endsWhereTheOutputIsNoJSON() async throws {
        let postern = try Postern(binary: Binaries.fake("garbage"))
        let error = PosternError.protocolViolation("What came from Postern is no JSON object: Segmentation fault")
        for _ in 0..<2 { await #expect(throws: error) { try await postern.call("a") } }
        #expect(try await becomesTrue(within: 5) { !isAlive(postern.processIdentifier) })
        await postern.close()
    }

    @Test func endsWhereTheOutputIsClosed() async throws {
        let postern = try Postern(binary: Binaries.fake("mute"))
        let error = PosternError.protocolViolation("Postern has closed its output and goes on.")
        await #expect(throws: error) { try await postern.call("a") }
        #expect(try await becomesTrue(within: 5) { !isAlive(postern.processIdentifier) })
    }

    @Test func readsStderrHoweverMuchItIs() async throws {
        let lines = Lines()
        let postern = try Postern(binary: Binaries.fake("talkative"), onLog: lines.add)
        #expect(try await postern.call("a") == #""heard""#)
        await postern.close()
        #expect(lines.all.reduce(0) { $0 + $1.utf8.count } > 1_900_000)
        #expect(lines.all.contains { $0.utf8.count >= 1_000_000 })
    }

    @Test func namesThePlacesWhereThereIsNoProgram() throws {
        #expect(throws: PosternError.binaryNotFound(places: ["/nowhere/postern"])) {
            try Postern(binary: "/nowhere/postern")
        }
        #expect(throws: PosternError.binaryNotFound(places: ["/etc/passwd"])) { try Postern(binary: "/etc/passwd") }
        let error = #expect(throws: PosternError.self) { try Postern(binary: "no-such-program") }
        #expect(error?.description.contains("/usr/bin/no-such-program") == true)
    }

    @Test func endsWithItsScope() async throws {
        var process: Int32 = 0
        let kind = try await withPostern(data: ":memory:", binary: Binaries.postern) { postern in
            process = postern.processIdentifier
            return try await postern.system.info().store.kind
        }
        #expect(kind == "memory" && process > 0 && !isAlive(process))

        await #expect(throws: CancellationError.self) {
            try await withPostern(data: ":memory:", binary: Binaries.postern) { postern in
                process = postern.processIdentifier
                throw CancellationError()
            }
        }
        #expect(!isAlive(process))
    }

    @Test func endsWhenNobodyHasIt() async throws {
        var postern: Postern? = try Postern()
        let process = try #require(postern?.processIdentifier)
        _ = try await postern?.system.info()
        postern = nil
        #expect(try await becomesTrue(within: 5) { !isAlive(process) })
    }

    /// Its group is its own, so that Ctrl-C reaches the host alone; what the host ignores and blocks is not handed
    /// down.
    @Test func startsTheProcessApart() async throws {
        let postern = try startWithSignalsBlocked()
        _ = try await postern.system.info()
        let process = postern.processIdentifier
        #expect(getpgid(process) == process)
        let status = try String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
        #expect(status.contains("SigBlk:\t0000000000000000\n"))
        await postern.close()
    }

    private func startWithSignalsBlocked() throws -> Postern {
        var (signals, before) = (sigset_t(), sigset_t())
        sigemptyset(&signals)
        sigaddset(&signals, SIGUSR1)
        pthread_sigmask(SIG_BLOCK, &signals, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        return try Postern()
    }

    @Test func isNotLeftBehindByAHostThatIsKilled() async throws {
        let (host, output) = try startTrials("stay", binary: Binaries.postern)
        let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        let processes = line.split { $0.isWhitespace }.compactMap { Int32($0) }
        try #require(processes.count == 2 && processes.allSatisfy(isAlive))
        kill(host.processIdentifier, SIGKILL)
        host.waitUntilExit()
        #expect(try await becomesTrue(within: 5) { !isRunning(processes[0]) })
        #expect(isRunning(processes[1]))
        kill(processes[1], SIGKILL)
    }

    @Test func leavesTheHostAliveWhereNobodyReads() throws {
        let (host, output) = try startTrials("outlive", binary: Binaries.fake("unwilling"))
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        host.waitUntilExit()
        #expect(host.terminationReason == .exit && host.terminationStatus == 0)
        #expect(text.hasPrefix("Postern has ended with exit code 4;") && text.hasSuffix("closed\n"))
    }

    private func startTrials(_ command: String, binary: String) throws -> (Process, Pipe) {
        let (host, output) = (Process(), Pipe())
        host.executableURL = URL(fileURLWithPath: Binaries.trials)
        host.arguments = [command]
        host.environment = ["POSTERN_BIN": binary, "PATH": "/usr/bin:/bin"]
        host.standardOutput = output
        try host.run()
        return (host, output)
    }

    /// Whether a process of that number goes on; one whose parent is gone may wait for ever to be reaped.
    private func isRunning(_ process: Int32) -> Bool {
        guard let text = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8) else { return false }
        return text.split(separator: ")").last?.split(separator: " ").first.map { !["Z", "X"].contains($0) } ?? false
    }
}
