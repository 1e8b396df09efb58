import Accounts
import Foundation
import Testing

@testable import Mail

struct DriverTests {
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("postern-\(UUID().uuidString)")
        .path

    init() {
        // As the program does: a command that reads nothing must not end whoever writes to it.
        signal(SIGPIPE, SIG_IGN)
    }

    private func message() throws -> InternetMessage {
        InternetMessage(.sample(), text: "1-ab\n", from: try #require(MailSender("postern@example.com")))
    }

    @Test func writesAWholeFileThatOnlyItsOwnerReads() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let driver = DirectoryDriver(path: folder)
        try driver.deliver(try message())
        // A second delivery of the same mail, as after a crash, is the same file.
        try driver.deliver(try message())
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["2016-02-24T22:07:52.371513Z-8c1f.eml"])
        let file = "\(folder)/2016-02-24T22:07:52.371513Z-8c1f.eml"
        #expect(FileManager.default.contents(atPath: file) == Data(try message().bytes))
        let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int
        #expect(mode == 0o600)
    }

    @Test func saysWhyADirectoryCannotTakeIt() throws {
        let message = try message()
        #expect(throws: DeliveryFailure("mkdir in the mail directory: No such file or directory")) {
            try DirectoryDriver(path: "/nonexistent/mails").deliver(message)
        }
        #expect(throws: DeliveryFailure("open in the mail directory: Not a directory")) {
            try DirectoryDriver(path: "/dev/null").deliver(message)
        }
    }

    @Test func handsTheMessageToACommand() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try CommandDriver(command: "cat > '\(folder)'; echo printed; echo printed >&2").deliver(try message())
        #expect(FileManager.default.contents(atPath: folder) == Data(try message().bytes))
    }

    @Test func takesTheCommandsWordForIt() throws {
        let message = try message()
        // It read nothing, and says that all is well.
        try CommandDriver(command: "true").deliver(message)
        #expect(throws: DeliveryFailure("the command ended with exit code 75")) {
            try CommandDriver(command: "cat >/dev/null; exit 75").deliver(message)
        }
        #expect(throws: DeliveryFailure("the command ended with exit code 127")) {
            try CommandDriver(command: "/nonexistent/sendmail -t -i 2>/dev/null").deliver(message)
        }
        #expect(throws: DeliveryFailure("signal 9 ended the command")) {
            try CommandDriver(command: "kill -9 $$").deliver(message)
        }
    }

    @Test func endsACommandThatHangs() throws {
        let message = try message()
        let start = ContinuousClock.now
        #expect(throws: DeliveryFailure("the command took longer than 1 seconds")) {
            try CommandDriver(command: "sleep 30", seconds: 1).deliver(message)
        }
        #expect(ContinuousClock.now - start < .seconds(10))
    }

    @Test func letsNoCommandThatSleepsHoldUpTheOthers() throws {
        let message = try message()
        let sleeper = CommandDriver(command: "exec sleep 60")
        // What each leaves behind would hold open the input of another, had it inherited that.
        let driver = CommandDriver(command: "cat >/dev/null; sleep 20 &")
        let start = ContinuousClock.now
        let count = 8
        let done = DispatchSemaphore(value: 0)
        for thread in 0..<count {
            Thread {
                if thread == 0 { try? sleeper.deliver(message) }
                for _ in 0..<25 where thread > 0 { try? driver.deliver(message) }
                done.signal()
            }.start()
        }
        for _ in 1..<count { done.wait() }
        #expect(ContinuousClock.now - start < .seconds(10))
        sleeper.cancel()
        done.wait()
    }

    @Test(arguments: [
        ("keep", MailRoute.keep), ("directory:/a:b", .directory("/a:b")),
        ("command:sendmail -t -i", .command("sendmail -t -i")), ("command:", nil), ("directory:", nil), ("keep:", nil),
        ("smtp:x", nil), ("", nil),
    ])
    func readsRoutes(text: String, route: MailRoute?) {
        #expect(MailRoute(text) == route)
    }
}
