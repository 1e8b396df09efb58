import Foundation
import JSON
import PosternTesting
import Testing

/// A store whose directory belongs to one user, while another user works on it.
@Suite(.enabled(if: OtherUser.isAvailable, "takes root, setpriv and a build directory that others can enter"))
struct StoreOwnerTests {
    private let folder = TemporaryDirectory()
    private let path: String
    private var data: [String] { ["--data", path] }

    init() throws {
        path = folder.path("store")
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        try #require(chmod(path, 0o700) == 0 && chown(path, OtherUser.id, OtherUser.id) == 0)
    }

    private func names() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }

    private func expectFilesOfTheOwner() throws {
        for name in try names() {
            let state = try FileState("\(path)/\(name)")
            #expect(state.owner == OtherUser.id && state.group == OtherUser.id && state.mode == 0o600, "\(name)")
        }
    }

    /// Creates the store as root.
    private func makeStore() throws {
        let server = try PosternProcess(data)
        try CareSession(server, email: "first@b.co").expectToWork(server, "First")
        server.finish()
    }

    private func call(_ email: String) throws -> PosternProcess.Outcome {
        let user = #"{"email":"\#(email)","password":"a long password","role":"user"}"#
        return try PosternProcess.run(["call", "care.user.register", user] + data)
    }

    /// Base, journal and manifest once became root's, and then the server answered "damaged".
    @Test func keepsTheOwnerOfFilesWhenRootCompactsAndCalls() throws {
        let server = try PosternProcess(data, shell: OtherUser.shell())
        let session = try CareSession(server)
        for number in 1...3 {
            #expect(try PosternProcess.run(["compact"] + data).status == 0)
            try expectFilesOfTheOwner()
            try session.expectToWork(server, "Merged \(number)")
            #expect(try call("root\(number)@b.co").status == 0)
            try expectFilesOfTheOwner()
            try session.expectToWork(server, "Called \(number)")
        }
        #expect(try names().contains("base-4.jsonl"))
        server.finish()
        #expect(server.errorText == "")
    }

    @Test func givesANewStoreToTheOwnerOfItsDirectory() throws {
        try makeStore()
        #expect(try names() == ["journal-1.jsonl", "lock", "lock.sync", "manifest.json"])
        try expectFilesOfTheOwner()
        let server = try PosternProcess(data, shell: OtherUser.shell())
        try CareSession(server).expectToWork(server, "Later")
        server.finish()
        #expect(server.errorText == "")
    }

    @Test(arguments: ["backup", "import", "salvage"])
    func givesACopyToTheUserWhoMakesIt(command: String) throws {
        try makeStore()
        let copy = folder.path("copy")
        let outcome: PosternProcess.Outcome
        if command == "import" {
            let lines = try PosternProcess.run(["export"] + data).output
            outcome = try PosternProcess.run(["import", "--data", copy], input: lines + "\n")
        } else {
            outcome = try PosternProcess.run([command, copy] + data)
        }
        #expect(outcome.status == 0, "\(outcome.errors)")
        for name in try FileManager.default.contentsOfDirectory(atPath: copy) {
            #expect(try FileState("\(copy)/\(name)").owner == 0, "\(name)")
        }
    }

    /// A file of another user was once reported as damaged, which misled the operator.
    @Test func answersAccessDeniedForAFileOfAnotherUser() throws {
        let server = try PosternProcess(data, shell: OtherUser.shell())
        let session = try CareSession(server)
        #expect(try PosternProcess.run(["compact"] + data).status == 0)
        for name in ["base-2.jsonl", "journal-2.jsonl", "manifest.json"] {
            try #require(chown("\(path)/\(name)", 0, 0) == 0)
        }
        let error = try server.reply(to: "care.patients.list", session.list)["error"]
        #expect(error?["data"]?["errors"] == ["access_denied"])
        #expect(error?["data"]?["success"] == false)
        for name in ["base-2.jsonl", "journal-2.jsonl", "manifest.json"] {
            try #require(chown("\(path)/\(name)", OtherUser.id, OtherUser.id) == 0)
        }
        try session.expectToWork(server, "Given back")
        server.finish()
        let words = "uid \(OtherUser.id) has no permission for \(path)/manifest.json, which belongs to uid 0"
        #expect(server.errorText.contains(words), "\(server.errorText)")
        #expect(!server.errorText.contains("damaged"))
    }

    @Test(arguments: ["manifest.json", "journal-1.jsonl", "lock"])
    func namesTheOwnerOfAFileThatItCannotOpen(name: String) throws {
        try makeStore()
        try #require(chown("\(path)/\(name)", 0, 0) == 0)
        let outcome = try PosternProcess.run(["stats"] + data, shell: OtherUser.shell())
        #expect(outcome.status == 1)
        let words = "uid \(OtherUser.id) has no permission for \(path)/\(name), which belongs to uid 0"
        #expect(outcome.errors.contains(words), "\(outcome.errors)")
        #expect(!outcome.errors.contains("damaged"))
    }

    /// The error for the place of a new store was once only the system's text,
    /// which names neither the owner nor the user.
    @Test func namesTheOwnerOfADirectoryThatRefusesANewStore() throws {
        try makeStore()
        let user = "uid \(OtherUser.id) has no permission for"
        // A directory that the user may not list, and one that the user may not change.
        let taken = folder.path("taken")
        try FileManager.default.createDirectory(atPath: taken, withIntermediateDirectories: false)
        try #require(chmod(taken, 0o700) == 0)
        for place in [taken, folder.path("copy")] {
            let outcome = try PosternProcess.run(["backup", place] + data, shell: OtherUser.shell())
            #expect(outcome.status == 1)
            #expect(outcome.errors.contains("\(user) \(place)"), "\(outcome.errors)")
            #expect(outcome.errors.contains("which belongs to uid 0"), "\(outcome.errors)")
        }
    }

    /// Root without CAP_CHOWN cannot give files to the owner, who would then have no access to the store.
    @Test func refusesBeforeItWritesIfItCannotChangeOwners() throws {
        let shell = #"exec setpriv --bounding-set -chown --inh-caps -chown "$@""#
        let outcome = try PosternProcess.run(data, shell: shell)
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("belongs to uid \(OtherUser.id)"), "\(outcome.errors)")
        #expect(try names() == [])
    }

    // MARK: Directories that the user may use but does not own

    private func warnings(_ text: String) -> [Substring] {
        text.split(separator: "\n").filter { $0.contains("level=warning") }
    }

    @Test func warnsOnceAboutADirectoryThatOthersCanChange() throws {
        try makeStore()
        try #require(chmod(path, 0o777) == 0)
        let server = try PosternProcess(data, shell: OtherUser.shell())
        let session = try CareSession(server)
        for number in 1...3 { try session.expectToWork(server, "Patient \(number)") }
        server.finish()
        let warnings = warnings(server.errorText)
        #expect(warnings.count == 1 && warnings[0].contains("it has mode 777, not 700"), "\(server.errorText)")
        #expect(try FileState(path).mode == 0o777)
    }

    /// A Kubernetes volume with an fsGroup was once refused, because its mode could not be changed,
    /// and a `lock` file remained in it.
    @Test func usesADirectoryThatItsGroupCanWriteTo() throws {
        try #require(chown(path, 0, 4_711) == 0 && chmod(path, 0o2770) == 0)
        for pass in 1...2 {
            let server = try PosternProcess(data, shell: OtherUser.shell(group: 4_711))
            try CareSession(server, email: "owner\(pass)@b.co").expectToWork(server, "Patient \(pass)")
            server.finish()
            #expect(warnings(server.errorText).count == 1, "\(server.errorText)")
            #expect(server.status == 0)
        }
        #expect(try FileState(path).mode == 0o2770)
        for name in try names() { #expect(try FileState("\(path)/\(name)").mode == 0o600, "\(name)") }
        // Root does not take the files away from the user who created them.
        #expect(try PosternProcess.run(["compact"] + data).status == 0)
        for name in try names() { #expect(try FileState("\(path)/\(name)").owner == OtherUser.id, "\(name)") }
    }

    @Test func leavesNoFilesWithoutPermission() throws {
        try #require(chown(path, 0, 0) == 0 && chmod(path, 0o755) == 0)
        let outcome = try PosternProcess.run(data, shell: OtherUser.shell())
        #expect(outcome.status == 1)
        #expect(try names() == [])
    }

    @Test(arguments: ["nr_inodes=2", "nr_inodes=3"])
    func leavesNoFilesWhenAStoreCannotBeCreated(options: String) throws {
        let mount = folder.path("mount")
        guard let volume = try TemporaryFileSystem(at: mount, options: options) else {
            try Test.cancel("needs permission to mount a tmpfs")
        }
        let outcome = try PosternProcess.run(["--data", mount])
        let left = try FileManager.default.contentsOfDirectory(atPath: mount)
        #expect(outcome.status == 1 && left == [], "\(outcome.errors)")
        #expect(try volume.change("nr_inodes=100"))
        #expect(try PosternProcess.run(["--data", mount]).status == 0)
    }

    @Test func leavesNoFilesOnAReadOnlyFileSystem() throws {
        let mount = folder.path("mount")
        guard let volume = try TemporaryFileSystem(at: mount, options: "ro") else {
            try Test.cancel("needs permission to mount a tmpfs")
        }
        let outcome = try PosternProcess.run(["--data", mount])
        #expect(outcome.status == 1 && outcome.errors.contains("cannot be written to"), "\(outcome.errors)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: mount) == [])
        #expect(try volume.change("rw"))
    }
}
