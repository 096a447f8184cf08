// Java's own client as it comes: it asks for h2c on a connection in the clear and goes on in HTTP/1.1.
import java.io.ByteArrayInputStream;
import java.net.URI;
import java.net.http.*;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.ByteBuffer;
import java.util.concurrent.*;

public class Client {
  static final HttpClient http = HttpClient.newHttpClient();

  static void ask(String name, HttpRequest.Builder request) throws Exception {
    HttpResponse<String> answer = http.send(request.build(), BodyHandlers.ofString());
    System.out.println(name + " " + answer.statusCode() + " " + answer.version() + " " + answer.body());
  }

  public static void main(String[] args) throws Exception {
    URI url = URI.create(args[0]);
    ask("get", HttpRequest.newBuilder(url.resolve("/get")));
    ask("again", HttpRequest.newBuilder(url.resolve("/again")));
    ask("post", HttpRequest.newBuilder(url.resolve("/post")).POST(BodyPublishers.ofString("y".repeat(200000))));
    byte[] unknown = "z".repeat(200000).getBytes();
    ask("chunked", HttpRequest.newBuilder(url.resolve("/chunked"))
        .POST(BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(unknown))));
    ask("expect", HttpRequest.newBuilder(url.resolve("/expect")).expectContinue(true)
        .POST(BodyPublishers.ofString("y".repeat(200000))));

    CompletableFuture<String> said = new CompletableFuture<>();
    WebSocket socket = http.newWebSocketBuilder()
        .buildAsync(URI.create(args[0].replaceFirst("http", "ws") + "/socket"), new WebSocket.Listener() {
          public CompletionStage<?> onText(WebSocket from, CharSequence text, boolean last) {
            said.complete(text.toString());
            return null;
          }
        }).join();
    socket.sendText("from Java", true).join();
    System.out.println("socket " + said.get(40, TimeUnit.SECONDS));
    socket.abort();
  }
}
