import FoundationEssentials
import Platform
import JSON

/// Writes the files that are generated from schema/ and VERSION. With `--check` it only lists the stale ones.
@main
struct Main {
    static func main() {
        let arguments = CommandLine.arguments.dropFirst()
        guard arguments.allSatisfy({ $0 == "--check" }) else { fail("usage: PosternSchema [--check]", status: 64) }
        do {
            let contract = try Contract(root: ".")
            let files = try contract.generatedFiles() + ProgramVersion(root: ".").files()
            let stale = files.filter { path, text in
                (try? String(contentsOfFile: path, encoding: .utf8)) != text
            }
            if arguments.isEmpty {
                for (path, text) in stale {
                    try text.write(toFile: path, atomically: true, encoding: .utf8)
                    print("wrote \(path)")
                }
            } else if !stale.isEmpty {
                fail("stale, run make generate: \(stale.map(\.0).joined(separator: ", "))", status: 1)
            }
        } catch {
            fail("\(error)", status: 1)
        }
    }

    private static func fail(_ message: String, status: Int32) -> Never {
        var line = message + "\n"
        _ = line.withUTF8 { WholeWrite.run(UnsafeRawBufferPointer($0), to: .standardError) }
        CurrentProcess.end(status: status)
    }
}

extension Contract {
    /// The path and text of every generated file.
    func generatedFiles() -> [(String, String)] {
        var files = records.map { realm in
            ("Sources/Accounts/Generated/\(realm.name.upperCamel)Records.swift", RecordsEmitter(realm).text)
        }
        files += AccountAPIsEmitter(self).files
        files += AccountMethodsEmitter(self).files
        files.append(("Sources/Accounts/Generated/RuleResults.swift", RuleResultsEmitter(self).text))
        files.append(("Sources/Accounts/Generated/Enumerations.swift", EnumerationsEmitter(self).text))
        files.append(("Sources/Accounts/Generated/CommonPasswords.swift", CommonPasswordsEmitter(commonPasswords).text))
        files.append(("Sources/Accounts/Generated/ErrorCodes.swift", ErrorCodesEmitter(self).text))
        files += Dictionary(grouping: limits.limits, by: \.module).map { module, limits in
            ("Sources/\(module)/Generated/ContractLimits.swift", LimitsEmitter(limits).text)
        }
        files += apis.map { api in
            (
                "Sources/Service/Generated/\(api.name.upperCamel)Wire.swift",
                WireEmitter(api, accountResults: accountResults, ruleTypes: ruleTypes(of: api)).text
            )
        }
        let openRPC = OpenRPCEmitter(self).document
        files.append(("Sources/Service/Generated/Method.swift", MethodEmitter(self).text))
        files.append(("Sources/Service/Generated/HostMethod.swift", HostMethodEmitter(self).text))
        files.append(("Sources/Service/Generated/ContractVersion.swift", contractVersionText))
        files.append(("Sources/Service/Generated/Service+Dispatch.swift", DispatchEmitter(self).text))
        files.append(("Sources/Service/Generated/Method+Tools.swift", ToolsEmitter(self).text))
        files.append(("Sources/Service/Generated/OpenRPCPieces.swift", OpenRPCEmitter.swiftText(of: openRPC, self)))
        files.append(("schema/openrpc.json", openRPC.prettyText + "\n"))
        files.append(("schema/REFERENCE.md", ReferenceEmitter(self).text))
        files.append(("docs/numbers.md", NumbersEmitter(self).text))
        files += ClientContract(self).generatedFiles()
        return files
    }
}

extension Contract {
    private var contractVersionText: String {
        """
        \(generatedMark)/// The version of the contract.
        enum ContractVersion {
            static let text = "\(version)"
        }

        """
    }
}

extension ClientContract {
    /// The path and text of every generated file of the clients.
    func generatedFiles() -> [(String, String)] {
        let emitted = [
            GoClientEmitter(self).files, NodeClientEmitter(self).files, PythonClientEmitter(self).files,
            SwiftClientEmitter(self).files,
        ]
        return emitted.flatMap { $0 }
    }
}
