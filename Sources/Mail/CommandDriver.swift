internal import Platform

/// Delivers each mail by running a command that reads it on standard input, such as `sendmail -t -i`. Exit code 0 means
/// that the command accepted the mail.
///
/// The command's stdout is discarded, so that it does not mix with replies. The last part of its stderr is added to the
/// failure.
final class CommandDriver: MailDriver {
    private let command: SystemString
    private let programs: MailPrograms
    private let show: @Sendable (String) -> Void

    /// - Parameters:
    ///   - seconds: how long the command may take for one mail.
    ///   - show: takes each line of the command's stderr.
    init(
        command: SystemString,
        seconds: Int = Limits.programSeconds,
        show: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        (self.command, self.show) = (command, show)
        programs = MailPrograms(seconds: seconds)
    }

    func deliver(_ message: InternetMessage) throws(DeliveryFailure) {
        let lines = OutputLines()
        let outcome = try programs.run(
            "the command",
            feeding: message.bytes,
            observe: { [show] in lines.take($0, each: show) },
            start: { (input, errors) throws(SystemError) in
                try ShellCommand(command).start(reading: input, writingErrors: errors)
            }
        )
        lines.end(each: show)
        guard let failure = outcome.failure else { return }
        throw DeliveryFailure(failure, detail: outcome.errors.text(without: message))
    }

    func cancel() { programs.cancel() }
}
