internal import Glibc

/// The lock that keeps a directory to one process.
///
/// It is flock(2) on the file `lock`, which is never unlinked: the system frees it the moment its holder ends, however
/// that ends. The file tells people which process that is.
final class DirectoryLock {
    private let file: File

    /// Takes the lock.
    ///
    /// - Throws: `StoreError.busy` where another has it.
    init(in directory: Directory, readOnly: Bool, calls: SystemCalls) throws(StoreError) {
        while true {
            let file = try File("lock", in: directory.descriptor, readOnly ? .reading : .creating, calls: calls)
            if retryingInterrupted({ flock(file.descriptor, LOCK_EX | LOCK_NB) }) != 0 {
                guard errno == EWOULDBLOCK else { throw .failed("flock lock") }
                throw .busy(Self.holderText(of: directory, file))
            }
            // A lock on a file that somebody unlinked in between keeps nobody out.
            if try Self.isCurrent(file, in: directory) {
                self.file = file
                return
            }
        }
    }

    /// Writes this process's number into the file, for people to read.
    func tellHolder() {
        do {
            let text = Array("\(getpid())\n".utf8)
            try file.truncate(to: 0)
            try file.write(text, at: 0)
        } catch {
            // A full disk is no reason to keep the store shut: the lock holds without the number.
        }
    }

    private static func isCurrent(_ file: File, in directory: Directory) throws(StoreError) -> Bool {
        var ours = stat()
        var named = stat()
        guard fstat(file.descriptor, &ours) == 0 else { throw .failed("stat lock") }
        guard fstatat(directory.descriptor, "lock", &named, 0) == 0 else { return false }
        return ours.st_ino == named.st_ino && ours.st_dev == named.st_dev
    }

    private static func holderText(of directory: Directory, _ file: File) -> String {
        let text: String
        do {
            text = String(decoding: try file.contents(from: 0, upTo: 32), as: UTF8.self)
        } catch {
            text = ""
        }
        let holder = Int(text.prefix { $0 != "\n" }).map { "process \($0)" } ?? "another process"
        return "the directory \(directory.path) is in use by \(holder)"
    }
}
