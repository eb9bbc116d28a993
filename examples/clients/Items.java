// Items with the standard library of Java 17 or newer: by java.net.HttpURLConnection, with the headers that it sends,
// and a PATCH, which that class refuses, by java.net.http.HttpClient. Prints each answer on a line.
//
//     java examples/clients/Items.java http://127.0.0.1:8080 EMAIL:PASSWORD
import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.Base64;

final class Items {
  static String authorization;

  static String call(String method, String url, String body) throws IOException {
    var connection = (HttpURLConnection) URI.create(url).toURL().openConnection();
    connection.setRequestMethod(method);
    connection.setRequestProperty("Authorization", authorization);
    if (body != null) {
      connection.setRequestProperty("Content-Type", "application/json");
      connection.setDoOutput(true);
      try (var out = connection.getOutputStream()) {
        out.write(body.getBytes(StandardCharsets.UTF_8));
      }
    }
    try (var in = connection.getInputStream()) { // throws for a status of 400 or above
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  public static void main(String[] args) throws IOException, InterruptedException {
    if (args.length != 2) {
      System.err.println("usage: Items.java URL EMAIL:PASSWORD");
      System.exit(1);
    }
    authorization = "Basic " + Base64.getEncoder().encodeToString(args[1].getBytes(StandardCharsets.UTF_8));
    var items = args[0] + "/api/v1/items";

    var created = call("POST", items, "{\"name\":\"From Java\"}");
    System.out.println(created);
    var url = created.replaceAll("(?s).*?\"url\":\"([^\"]+)\".*", "$1");
    System.out.println(call("PUT", url, call("GET", url, null))); // what GET returned can be sent back

    var patch = HttpRequest.newBuilder(URI.create(url))
        .header("Authorization", authorization)
        .header("Content-Type", "application/merge-patch+json")
        .method("PATCH", BodyPublishers.ofString("{\"producer\":\"Ufa\",\"language\":null}"))
        .build();
    System.out.println(HttpClient.newHttpClient().send(patch, BodyHandlers.ofString()).body());
    System.out.println(call("GET", items + "?tags=Action%2C%20Adventure", null));
  }
}
