export default {
  itemcast: {
    input: './openapi.json',
    output: {
      target: 'orval/api.ts',
      client: 'fetch',
      baseUrl: { getBaseUrlFromSpecification: true },
      // An import takes a file or an array; the code that orval makes for both does not compile.
      override: { operations: { importItems: { contentType: { exclude: ['application/json'] } } } },
    },
  },
};
