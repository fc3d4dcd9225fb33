import Foundation
import Testing

/// Everything that needs the lab, one after the other, since all share its daemons.
@Suite(.enabled(if: Lab.folder != nil, Comment(rawValue: Lab.reason)), .serialized, .timeLimit(.minutes(1)))
enum LabTests {}

/// The namespace lab (scripts/lab) that this program runs in: inside its host h1, beside h2.
enum Lab {
  static let folder = ProcessInfo.processInfo.environment["HEARTH_LAB"]
  static let reason = "needs avahi-daemons of its own: run scripts/lab/tests/avahi"

  struct Failed: Error {
    let order: String
    let status: String
  }

  /// Has the lab carry out one of its commands, such as a fault, and waits until that is done.
  static func order(_ order: String) async throws {
    let folder = try #require(Self.folder)
    let status = await withCheckedContinuation { continuation in
      DispatchQueue.global().async {
        FileHandle(forWritingAtPath: "\(folder)/orders")?.write(Data("\(order)\n".utf8))
        let answer = FileHandle(forReadingAtPath: "\(folder)/results")?.availableData ?? Data()
        continuation.resume(returning: String(decoding: answer, as: UTF8.self).trimmingCharacters(in: .newlines))
      }
    }
    guard status == "0" else { throw Failed(order: order, status: status) }
  }
}
