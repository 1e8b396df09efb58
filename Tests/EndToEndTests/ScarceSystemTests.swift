import Foundation
import JSON
import PosternTesting
import Testing

/// A system with too few descriptors, or without /proc.
struct ScarceSystemTests {
    private let folder = TemporaryDirectory()
    private var data: [String] { ["--data", folder.path("store")] }
    private let register =
        #"{"jsonrpc":"2.0","id":1,"method":"care.user.register","#
        + #""params":{"email":"a@b.co","password":"a long password","role":"user"}}"# + "\n"

    /// Without a descriptor for its pipe, the program once ended with SIGILL.
    /// Without one for /proc/self/maps, it ignored its arguments.
    @Test(arguments: 3...16)
    func reportsMissingDescriptorsInOneLine(limit: Int) throws {
        #expect(try PosternProcess.run(data, input: register).status == 0)
        let lines = try PosternProcess.run(["export", folder.path("lines")] + data)
        #expect(lines.status == 0)
        let commands = [
            ["version"], ["serve"] + data, ["serve", "--data", ":memory:"], ["serve", "--data", folder.path("new")],
            ["call", "system.info"] + data, ["invite"] + data, ["outbox", "list"] + data, ["stats"] + data,
            ["check"] + data, ["compact"] + data, ["export"] + data, ["backup", folder.path("copy")] + data,
            ["salvage", folder.path("saved")] + data, ["import", folder.path("lines"), "--data", folder.path("in")],
        ]
        for command in commands {
            let outcome = try PosternProcess.run(
                command,
                input: register,
                shell: #"exec timeout 20 prlimit --nofile=\#(limit) "$@""#
            )
            // 127 is the exit code of the dynamic loader.
            #expect([0, 1, 127].contains(outcome.status), "\(command): \(outcome.status) \(outcome.errors)")
            let lines = outcome.errors.split(separator: "\n").count
            #expect(outcome.status == 0 || lines == 1, "\(command): \(outcome.errors)")
            if outcome.status == 1 {
                #expect(outcome.errors.contains(/Too many open files|file descriptor/), "\(command): \(outcome.errors)")
            }
            if command == ["version"], outcome.status == 0 { #expect(outcome.output.hasPrefix("postern ")) }
            for name in ["new", "copy", "saved", "in"] {
                _ = try? FileManager.default.removeItem(atPath: folder.path(name))
            }
        }
        #expect(try PosternProcess.run(["check"] + data).output.hasPrefix("sound"), "nothing is lost")
    }

    /// The program once read its arguments from /proc, and without /proc it ignored every flag.
    @Test(.enabled(if: geteuid() == 0, "to unmount /proc takes root"))
    func worksWithoutProc() throws {
        func run(_ words: [String], input: String = "") throws -> PosternProcess.Outcome {
            let unmounted = #"umount -l /proc && exec "$@""#
            return try PosternProcess.run(
                words,
                input: input,
                shell: #"exec unshare --mount sh -c '\#(unmounted)' sh "$@""#,
                folder: URL(fileURLWithPath: folder.path)
            )
        }
        #expect(try run(["version"]).output.hasPrefix("postern "))
        let mail = ["--mail", "command:cat > \(folder.path("mail"))"]
        let person: JSONValue = ["first_name": "A", "last_name": "B", "email": "a@b.co"]
        let params: JSONValue = ["user": person, "password": "a long password"]
        let request: JSONValue = ["jsonrpc": "2.0", "id": 1, "method": "operators.register", "params": params]
        let served = try run(data + mail, input: request.text + "\n" + register)
        #expect(served.status == 0 && served.output.split(separator: "\n").count == 2, "\(served.errors)")
        #expect(try FileState(folder.path("mail")).bytes > 0)
        for command in [["compact"], ["check"], ["stats"], ["backup", folder.path("copy")], ["call", "system.info"]] {
            let outcome = try run(command + data)
            #expect(outcome.status == 0 && outcome.errors == "", "\(command): \(outcome.errors)")
        }
        let descriptor = open(folder.path("store/lock"), O_RDWR | O_CLOEXEC)
        defer { close(descriptor) }
        try #require(flock(descriptor, LOCK_EX) == 0)
        let busy = try run(["stats", "--lock-wait", "0"] + data)
        #expect(busy.status == 1 && busy.errors.contains("is in use by another process"), "\(busy.errors)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == ["copy", "mail", "store"])
    }
}
