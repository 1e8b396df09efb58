/// Finds the holder of a lock in /proc/locks (proc(5)).
package enum LockHolder {
    /// The process that holds the flock of a file; nil if the system does not report it.
    ///
    /// A line of /proc/locks is `1: FLOCK  ADVISORY  WRITE 4711 fe:00:1837 0 EOF`, with the inode after the device.
    package static func process(holding file: FileStamp) -> Int? {
        let text: [UInt8]
        do throws(SystemError) {
            let locks = try FileDescriptor.open("/proc/locks", .reading)
            defer { locks.close() }
            text = try locks.contents(bytesMax: .max)
        } catch {
            return nil
        }
        for line in String(decoding: text, as: UTF8.self).split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count > 5, words[1] == "FLOCK", words[5].hasSuffix(":\(file.inode)") else { continue }
            return Int(words[4])
        }
        return nil
    }
}
