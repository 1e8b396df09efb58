import Foundation
import JSON
import PosternTesting
import Testing

/// Requests to a server while another process holds the directory's lock and is stopped.
struct LockWaitTests {
    private let folder = TemporaryDirectory()

    /// Holds the lock. A lock belongs to the open file, here as in every process.
    private final class Holder {
        private let descriptor: Int32

        init(of path: String) throws {
            descriptor = open(path + "/lock", O_RDWR | O_CLOEXEC)
            try #require(descriptor >= 0 && flock(descriptor, LOCK_EX) == 0)
        }

        deinit {
            close(descriptor)
        }
    }

    private func seconds(_ body: () throws -> Void) rethrows -> Double {
        let start = ContinuousClock.now
        try body()
        return (ContinuousClock.now - start) / .seconds(1)
    }

    /// Each write once waited separately: thirty writes took half a minute, and reads waited behind them.
    @Test(arguments: ["in-order", "as-completed"])
    func allWritesShareOneWait(order: String) throws {
        let path = folder.path("store")
        let server = try PosternProcess(["--data", path, "--lock-wait", "1", "--replies", order])
        let session = try CareSession(server)
        // Requests of one account stay in order.
        let reader = try CareSession(server, email: "reader@b.co")
        try session.expectToWork(server, "Before")
        var holder: Holder? = try Holder(of: path)
        let took = try seconds { () throws in
            let reads = try seconds { () throws in
                #expect(try server.reply(to: "care.patients.list", session.list)["result"] != nil)
            }
            #expect(reads < 0.5, "a read before the writes")
            for number in 1...15 { server.send("care.patients.create", session.patient("No \(number)")) }
            server.send("care.patients.list", reader.list)
            for number in 16...30 { server.send("care.patients.create", session.patient("No \(number)")) }
            var (busy, places) = (0, [Int]())
            for place in 0..<31 {
                let reply = try server.nextReply()
                if reply["result"] != nil {
                    places.append(place)
                } else {
                    #expect(reply["error"]?["code"]?.int == 423)
                    #expect(reply["error"]?["data"]?["errors"] == ["busy"])
                    busy += 1
                }
            }
            #expect(busy == 30)
            #expect(places == [order == "in-order" ? 15 : 0], "the place of the read among the replies")
        }
        #expect((0.9...8).contains(took), "thirty writes took \(took) s")
        // The holder has made no progress for longer than the wait, so later requests do not wait again.
        let later = try seconds { () throws in
            #expect(try server.reply(to: "care.patients.create", session.patient("No"))["error"]?["code"]?.int == 423)
            #expect(try server.reply(to: "care.patients.list", session.list)["result"] != nil)
        }
        #expect(later < 0.5)
        _ = holder
        holder = nil
        try session.expectToWork(server, "After")
        let patients = try server.reply(to: "care.patients.list", session.list)["result"]
        #expect(patients?.text.contains("No") == false)
        server.finish()
        #expect(server.status == 0)
    }

    /// Requests that are refused, or write nothing, need no lock. A request without a session once waited for it.
    @Test func refusesWithoutTheLock() throws {
        let path = folder.path("store")
        let server = try PosternProcess(["--data", path, "--lock-wait", "30"])
        let session = try CareSession(server)
        try session.expectToWork(server, "Before")
        let holder = try Holder(of: path)
        let took = try seconds { () throws in
            let refused = try server.reply(to: "care.patients.create", ["access_token": "x", "first_name": "Kim"])
            #expect(refused["error"]?["data"]?["errors"] == ["invalid_access_token"])
            let missing = try server.reply(to: "operators.confirm_email", ["code": "1-5f0c"])
            #expect(missing["error"]?["data"]?["errors"] == ["code_invalid"])
        }
        #expect(took < 5, "two refusals took \(took) s")
        _ = holder
    }

    /// A failed sign-in is counted, so it waits for the lock although it is refused.
    @Test func waitsForTheLockToCountAFailedSignIn() throws {
        let path = folder.path("store")
        let server = try PosternProcess(["--data", path, "--lock-wait", "1"])
        let session = try CareSession(server)
        try session.expectToWork(server, "Before")
        var holder: Holder? = try Holder(of: path)
        let wrong: JSONValue = ["email": .string("reader@b.co"), "password": "wrong"]
        let locked = try server.reply(to: "care.auth.token", wrong)
        #expect(locked["error"]?["data"]?["errors"] == ["busy"])
        _ = holder
        holder = nil
        for _ in 1...10 { _ = try server.reply(to: "care.auth.token", wrong) }
        let after = try server.reply(to: "care.auth.token", wrong)
        #expect(after["error"]?["data"]?["errors"] == ["login_attempts_exceeded"])
    }

    /// A server with nothing to write once waited for the lock at its end,
    /// and logged that its mail could not be sent.
    @Test func endsAtOnceWithNothingToWrite() throws {
        let path = folder.path("store")
        let server = try PosternProcess(["--data", path, "--lock-wait", "30"])
        #expect(try server.reply(to: "system.info")["result"] != nil)
        let holder = try Holder(of: path)
        let took = try seconds { () throws in
            #expect(try server.reply(to: "system.info")["result"] != nil)
            server.finish()
        }
        #expect(server.status == 0)
        #expect(took < 5, "the end took \(took) s")
        #expect(server.errorText == "")
        _ = holder
    }

    @Test func namesTheProcessThatHoldsTheLock() throws {
        let path = folder.path("store")
        let first = try PosternProcess(["--data", path])
        _ = try CareSession(first)
        let holder = try Holder(of: path)
        let outcome = try PosternProcess.run(["stats", "--data", path, "--lock-wait", "0"])
        #expect(outcome.status == 1 && outcome.errors.contains("is in use by process \(getpid())"), "\(outcome.errors)")
        withExtendedLifetime(holder) {}
    }

    private func waitUntilStopped(_ process: PosternProcess) throws {
        let file = "/proc/\(process.processIdentifier)/stat"
        while try String(contentsOfFile: file, encoding: .utf8).split(separator: ")").last?.hasPrefix(" T") != true {
            usleep(200)
        }
    }

    /// A process is stopped during its write, as by a debugger or by pausing a container.
    @Test func continuesOnceAStoppedHolderContinues() throws {
        let path = folder.path("store")
        let first = try PosternProcess(["--data", path])
        let session = try CareSession(first)
        let second = try PosternProcess(["--data", path, "--lock-wait", "1"])
        try session.expectToWork(second, "Before")
        // The time of a stop is random: repeat it until the process is stopped while it holds the lock.
        var isHeld = false
        for attempt in 1...400 where !isHeld {
            for number in 1...5 { first.send("care.patients.create", session.patient("Stopped \(attempt) \(number)")) }
            usleep(UInt32(attempt % 20) * 100)
            first.signal(SIGSTOP)
            try waitUntilStopped(first)
            let descriptor = open(path + "/lock", O_RDWR | O_CLOEXEC)
            isHeld = flock(descriptor, LOCK_EX | LOCK_NB) != 0
            close(descriptor)
            if !isHeld {
                first.signal(SIGCONT)
                for _ in 1...5 { _ = try first.nextReply() }
            }
        }
        guard isHeld else { try Test.cancel("the process was never stopped while it held the lock") }
        let took = try seconds { () throws in
            for _ in 1...10 { second.send("care.patients.create", session.patient("Refused")) }
            for _ in 1...10 { #expect(try second.nextReply()["error"]?["code"]?.int == 423) }
            #expect(try second.reply(to: "care.patients.list", session.list)["result"] != nil)
        }
        #expect(took < 2.5, "ten writes took \(took) s")
        first.signal(SIGCONT)
        for _ in 1...5 { #expect(try first.nextReply()["result"] != nil) }
        try session.expectToWork(second, "After")
        try session.expectToWork(first, "After as well")
    }
}
