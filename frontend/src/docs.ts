import "swagger-ui-dist/swagger-ui.css";
import SwaggerUIBundle from "swagger-ui-dist/swagger-ui-es-bundle.js";

SwaggerUIBundle({ url: "/api/openapi.json", dom_id: "#docs", validatorUrl: null });
